//! A provider to develop and test against: a real HTTP server that speaks the contract of
//! `openapi/provider.json`, signatures and all, and answers by a fixed table.
//!
//! | the document number ends in | answer |
//! | --- | --- |
//! | anything else | clear |
//! | `-REJECT` | consider, `authenticity.compromised`, critical |
//! | `-CONSIDER` | consider, `authenticity.tampered` |
//! | `-MISMATCH` | consider, `mismatch.name` |
//! | `-RETRY` | unusable, `quality.image_unreadable` |
//! | `-SLOW` | processing; clear two seconds later |
//! | `-LINK` | awaiting the customer, with a link; clear two seconds later |
//! | `-TIMEOUT` | 503 twice, then clear |
//! | `-DOWN` | always 503 |
//! | `-UNKNOWN` | done, with an outcome that is not in the contract |
//!
//! It is no part of production: it verifies nobody's identity. Its time is the [`Clock`]'s, so that a test moves
//! the two seconds; it keeps no personal data; and it counts submissions, so that a test can see that none was
//! made twice: [`Sandbox::submissions`], or `GET /v1/sandbox/submissions`, which needs no signature from
//! loopback.

mod endpoints;
mod ledger;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::Clock;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::provider::http::SigningKeys;
use ledger::Ledger;

pub use ledger::SubmissionCount;

/// The most connections at once; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// How long a request's head may take, and an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long open requests are waited for at the end.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);
/// The pause after a failed accept, for which the usual cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the endpoints share.
struct State {
    keys: SigningKeys,
    clock: Arc<dyn Clock>,
    ledger: Mutex<Ledger>,
    page: String,
}

impl State {
    fn counts(&self) -> BTreeMap<VerificationId, SubmissionCount> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).counts()
    }
}

/// The sandbox provider, bound to its address.
pub struct Sandbox {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<State>,
}

impl Sandbox {
    /// Binds to an address; port 0 takes a free one. It serves nothing yet.
    ///
    /// # Errors
    /// Where the address can't be bound.
    pub async fn bind(
        address: impl ToSocketAddrs,
        keys: SigningKeys,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let page = format!("http://{address}{}", endpoints::PAGE);
        let state = Arc::new(State { keys, clock, ledger: Mutex::default(), page });
        Ok(Self { listener, address, state })
    }

    /// The address that it is bound to.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// How often each verification was submitted.
    #[must_use]
    pub fn submissions(&self) -> BTreeMap<VerificationId, SubmissionCount> {
        self.state.counts()
    }

    /// Serves until `shutdown` is ready, then finishes what is open, for at most five seconds.
    pub async fn serve(&self, shutdown: impl Future<Output = ()>) {
        let open = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut shutdown = pin!(shutdown);
        loop {
            let accept = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (self.listener.accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                () = &mut shutdown => break,
                accepted = accept => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let connection = open.watch(connection(Arc::clone(&self.state), stream, peer));
            tokio::spawn(async move {
                // A connection that breaks is its client's matter.
                let _ = connection.await;
                drop(permit);
            });
        }
        let _ = timeout(SHUTDOWN_TIME, open.shutdown()).await;
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

/// One connection, ready to be driven.
fn connection(
    state: Arc<State>,
    stream: TcpStream,
    peer: SocketAddr,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { endpoints::answer(&state, peer, request).await }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
}
