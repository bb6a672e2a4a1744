//! The HTTP server: hyper connections of ours around a poem endpoint.
//!
//! poem's own server bounds neither the time of a request's head nor the number of connections; here every
//! phase of a connection has a bound: the head by [`Limits::head`], body and answer in the making by
//! [`layered`]'s deadline, the answer's way out by [`Limits::write_stall`], the end by [`Limits::shutdown`].

mod deadline;
mod headers;
mod layers;
mod stall;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderValue, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

pub use self::deadline::Deadline;
pub use self::headers::SecurityHeaders;
pub use self::layers::{REQUEST_TIME, layered};
use self::stall::WriteStall;

/// How much a connection buffers, which also bounds a request's head.
const BUFFER: usize = 64 * 1024;
/// The pauses after failed accepts, for which the usual cause is a lack of file descriptors.
const ACCEPT_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// How long and how much of a request that was refused early is read and dropped, so that the answer is not
/// lost with the connection (RFC 9112, section 9.6).
const LINGER: (Duration, u64) = (Duration::from_secs(2), 64 * 1024 * 1024);

/// The bounds of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// The longest time for a request's head, and for an idle connection between requests.
    pub head: Duration,
    /// The longest time for which a client may take nothing of an answer.
    pub write_stall: Duration,
    /// The longest time to finish what is in flight at the end.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(5),
            write_stall: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// Serves `endpoint` until `shutdown`; then accepts nothing more, finishes what is in flight, and returns.
///
/// # Errors
/// Where the listener has no address; a failed accept is logged and tried again.
pub async fn serve<E>(
    listener: TcpListener,
    endpoint: E,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    E: Endpoint<Output = Response> + 'static,
{
    let local = listener.local_addr()?;
    let endpoint = Arc::new(endpoint);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    tracing::info!(address = %local, "listening");
    loop {
        let (slot, stream, remote) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let connection = Connection {
            endpoint: Arc::clone(&endpoint),
            limits,
            local: LocalAddr(Addr::SocketAddr(local)),
            remote: RemoteAddr(Addr::SocketAddr(remote)),
            stopping: stopping.clone(),
        };
        connections.spawn(connection.run(stream, slot));
    }
    drop(listener);
    drop(stop);
    tracing::info!(connections = connections.len(), "stopping: no more connections are accepted");
    let finished =
        tokio::time::timeout(limits.shutdown, async { while connections.join_next().await.is_some() {} });
    if finished.await.is_err() {
        tracing::warn!(connections = connections.len(), "requests that did not finish in time are cut off");
        connections.shutdown().await;
    }
    Ok(())
}

/// The next connection for which there is a slot. A failure is logged, and tried again after a pause that
/// grows, so that a lack of file descriptors neither ends the server nor makes it spin.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, TcpStream, std::net::SocketAddr) {
    // The semaphore is never closed, so there is always a slot in the end.
    let slot = Arc::clone(slots).acquire_owned().await.ok();
    let mut pause = ACCEPT_PAUSES.0;
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => return (slot, stream, remote),
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), code = error.raw_os_error(), "a connection can't be accepted");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(ACCEPT_PAUSES.1);
            }
        }
    }
}

struct Connection<E> {
    endpoint: Arc<E>,
    limits: Limits,
    local: LocalAddr,
    remote: RemoteAddr,
    stopping: watch::Receiver<()>,
}

impl<E: Endpoint<Output = Response> + 'static> Connection<E> {
    async fn run(self, stream: TcpStream, slot: Option<OwnedSemaphorePermit>) {
        let Self { endpoint, limits, local, remote, mut stopping } = self;
        // Answers are small and whole; waiting to fill a packet only delays them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let service = service_fn(move |request: http::Request<Incoming>| {
            let close = must_close(&request);
            let request = Request::from((request, local.clone(), remote.clone(), Scheme::HTTP));
            let endpoint = Arc::clone(&endpoint);
            Box::pin(async move {
                let mut response = endpoint.get_response(request).await;
                if close {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(http::Response::from(response))
            })
        });
        let io = TokioIo::new(WriteStall::new(stream, limits.write_stall));
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(BUFFER)
            .serve_connection(io, service);
        let served = tokio::select! {
            served = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(served),
            // Nothing is ever sent: the sender drops when the server stops.
            _ = stopping.changed() => None,
        };
        let served = if let Some(served) = served {
            served
        } else {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        };
        if let Err(error) = served {
            // Clients that go away or talk nonsense; nothing of what they sent is repeated.
            tracing::debug!(
                parse = error.is_parse(),
                timeout = error.is_timeout(),
                incomplete = error.is_incomplete_message(),
                "a connection ended early"
            );
        }
        linger(connection.into_parts().io.into_inner().into_inner()).await;
        drop(slot);
    }
}

/// Whether a connection must not serve another request after this one. A request with both Transfer-Encoding
/// and Content-Length may be an attempt to smuggle another one, and ends its connection (RFC 9112, section
/// 6.1). hyper reads it as chunked, as it must, and drops the Content-Length unseen, so every request with a
/// Transfer-Encoding ends its connection.
fn must_close(request: &http::Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11 && request.headers().contains_key(TRANSFER_ENCODING)
}

/// Ends a connection: says that nothing more comes, and drops what the client still sends for a while.
/// Closing at once would reset the connection, and the client might lose the answer.
async fn linger(mut stream: TcpStream) {
    let (time, bytes) = LINGER;
    let drained = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(bytes), &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection is over.
    drop(tokio::time::timeout(time, drained).await);
}
