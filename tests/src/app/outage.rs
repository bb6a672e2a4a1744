//! A provider that can fail as one behind a network does: a relay before the sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use tokio::io::{copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of connections to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// They go through.
    Open,
    /// None can be made: nothing leaves the machine.
    Refused,
    /// They are made, and cut before anything has gone through.
    Cut,
    /// Requests arrive, and their answers do not: they are cut as the first byte of one comes back.
    Deaf,
}

/// A relay to a sandbox. It keeps its address, whatever becomes of connections.
pub(super) struct Relay {
    /// Bound and never listening, so that nobody else is given the port while connections are refused.
    _anchor: TcpSocket,
    address: SocketAddr,
    to: SocketAddr,
    wire: watch::Sender<Wire>,
    accepting: Mutex<Option<JoinHandle<()>>>,
    runtime: Handle,
}

impl Relay {
    /// A relay to `to`, open, which lives as long as the runtime. Within a runtime.
    pub(super) fn start(to: SocketAddr) -> Self {
        let anchor = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = anchor.local_addr().unwrap();
        let (wire, _) = watch::channel(Wire::Open);
        let runtime = Handle::current();
        let relay = Self { _anchor: anchor, address, to, wire, accepting: Mutex::default(), runtime };
        relay.accept();
        relay
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets connections through, or cuts them all, those that are open too.
    pub(super) fn set_open(&self, open: bool) {
        self.set(if open { Wire::Open } else { Wire::Cut });
    }

    /// What becomes of connections from now on. Those that are open are cut. Not within a runtime.
    pub(super) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
        let mut accepting = self.accepting.lock().unwrap();
        match (wire, accepting.take()) {
            (Wire::Refused, Some(task)) => {
                task.abort();
                // The listener is gone once the task is.
                drop(self.runtime.block_on(task));
            }
            (Wire::Refused, None) => {}
            (Wire::Open | Wire::Cut | Wire::Deaf, Some(task)) => *accepting = Some(task),
            (Wire::Open | Wire::Cut | Wire::Deaf, None) => {
                drop(accepting);
                self.accept();
            }
        }
    }

    fn accept(&self) {
        let _within = self.runtime.enter();
        let listener = bound(self.address).listen(1024).unwrap();
        let (to, wire) = (self.to, self.wire.subscribe());
        let task = self.runtime.spawn(accept(listener, to, wire));
        *self.accepting.lock().unwrap() = Some(task);
    }
}

/// A socket that shares its port with others that do not listen.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(listener: TcpListener, to: SocketAddr, wire: watch::Receiver<Wire>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(relay(stream, to, wire.clone()));
    }
}

async fn relay(mut stream: TcpStream, to: SocketAddr, mut wire: watch::Receiver<Wire>) {
    let is = *wire.borrow_and_update();
    if matches!(is, Wire::Cut | Wire::Refused) {
        return;
    }
    let Ok(mut provider) = TcpStream::connect(to).await else { return };
    let carried = async {
        if is == Wire::Open {
            drop(copy_bidirectional(&mut stream, &mut provider).await);
            return;
        }
        let ((mut asked, _), (answer, mut ask)) = (stream.split(), provider.split());
        tokio::select! {
            _ = copy(&mut asked, &mut ask) => {}
            _ = answer.readable() => {}
        }
    };
    tokio::select! {
        () = carried => {}
        _ = wire.changed() => {}
    }
}
