//! The HTTP server: hyper connections of ours around a poem endpoint.
//!
//! poem's own server bounds neither the time of a request's head nor the number of connections; here every
//! phase of a connection has a bound: the handshake by [`Limits::handshake`], the head by [`Limits::head`], body
//! and answer in the making by [`layered`]'s deadline, the answer's way out by [`Limits::write_stall`], the end by
//! [`Limits::shutdown`]. A connection counts from the moment that it is accepted.

mod addresses;
mod cors;
mod deadline;
mod headers;
mod layers;
mod shares;
mod stall;
mod strangers;
mod tls;

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
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;

pub use self::addresses::Proxies;
pub use self::cors::Origins;
pub use self::deadline::Deadline;
pub use self::headers::SecurityHeaders;
pub use self::layers::{Around, REQUEST_TIME, layered};
use self::shares::{Share, Shares};
use self::stall::WriteStall;
pub use self::tls::{Tls, TlsError, TlsFiles};

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
    /// The most of them that one address may have (of IPv6 a /64); further ones are closed. Trusted proxies may
    /// have any number.
    pub per_address: usize,
    /// The longest time for a TLS handshake.
    pub handshake: Duration,
    /// The longest time for a request's head, and for an idle connection between requests.
    pub head: Duration,
    /// The longest time for which a client may take nothing, or too little, of an answer.
    pub write_stall: Duration,
    /// The longest time to finish what is in flight at the end.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_address: usize::MAX,
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(5),
            write_stall: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// What stands between the clients and the service.
#[derive(Debug, Clone, Default)]
pub struct Front {
    /// The bounds of connections.
    pub limits: Limits,
    /// The certificate, where TLS is spoken.
    pub tls: Option<Arc<Tls>>,
    /// Whether clients reach the service through a proxy that speaks TLS with them.
    pub behind_proxy: bool,
    /// The proxies that are believed when they name a client's address.
    pub proxies: Proxies,
    /// The origins whose pages may use the API.
    pub origins: Origins,
}

impl Front {
    /// Whether clients speak TLS, with this service or with a proxy.
    #[must_use]
    pub const fn by_tls(&self) -> bool {
        self.tls.is_some() || self.behind_proxy
    }
}

/// Serves `endpoint` until `shutdown`; then accepts nothing more, finishes what is in flight, and returns.
///
/// # Errors
/// Where the listener has no address; a failed accept is logged and tried again.
pub async fn serve<E>(
    listener: TcpListener,
    endpoint: E,
    front: Front,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    E: Endpoint<Output = Response> + 'static,
{
    let Front { limits, tls, proxies, .. } = front;
    let local = listener.local_addr()?;
    let shares = Shares::new(limits.per_address, proxies);
    let endpoint = Arc::new(endpoint);
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    tracing::info!(address = %local, tls = tls.is_some(), "listening");
    loop {
        let (slot, stream, remote) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some(share) = shares.take(remote.ip()) else {
            tracing::debug!("a connection is closed: its address has as many as it may");
            continue;
        };
        let connection = Connection {
            endpoint: Arc::clone(&endpoint),
            limits,
            tls: tls.clone(),
            local: LocalAddr(Addr::SocketAddr(local)),
            remote: RemoteAddr(Addr::SocketAddr(remote)),
            stopping: stopping.clone(),
        };
        connections.spawn(connection.run(stream, (slot, share)));
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
    tls: Option<Arc<Tls>>,
    local: LocalAddr,
    remote: RemoteAddr,
    stopping: watch::Receiver<()>,
}

impl<E: Endpoint<Output = Response> + 'static> Connection<E> {
    /// Serves a connection to its end; until then it has its place among all, and among those of its address.
    async fn run(mut self, stream: TcpStream, place: (Option<OwnedSemaphorePermit>, Share)) {
        // Answers are small and whole; waiting to fill a packet only delays them.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        // Below TLS, where it is seen what the client takes.
        let stream = WriteStall::new(stream, self.limits.write_stall);
        match self.tls.take() {
            None => self.exchange(stream, Scheme::HTTP).await,
            Some(tls) => {
                if let Some(stream) = self.shake_hands(&tls, stream).await {
                    self.exchange(stream, Scheme::HTTPS).await;
                }
            }
        }
        drop(place);
    }

    /// The connection within TLS; none where no handshake comes about in time.
    async fn shake_hands<S>(&mut self, tls: &Tls, stream: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = tokio::time::timeout(self.limits.handshake, tls.acceptor().accept(stream));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            // Nothing was asked yet, so there is nothing to finish.
            _ = self.stopping.changed() => return None,
        };
        match shaken {
            Ok(Ok(stream)) => Some(stream),
            // Scanners, garbage, plain HTTP; nothing of what they sent is repeated.
            Ok(Err(error)) => {
                tracing::debug!(kind = ?error.kind(), "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }

    async fn exchange<S>(self, stream: S, scheme: Scheme)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self { endpoint, limits, local, remote, mut stopping, .. } = self;
        let service = service_fn(move |request: http::Request<Incoming>| {
            let close = must_close(&request);
            let request = Request::from((request, local.clone(), remote.clone(), scheme.clone()));
            let endpoint = Arc::clone(&endpoint);
            Box::pin(async move {
                let mut response = endpoint.get_response(request).await;
                if close {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(http::Response::from(response))
            })
        });
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
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
        linger(connection.into_parts().io.into_inner()).await;
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
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let (time, bytes) = LINGER;
    let drained = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(bytes), &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection is over.
    drop(tokio::time::timeout(time, drained).await);
}
