//! A provider that can be made unreachable: a relay before the sandbox that cuts every connection.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A relay to the sandbox, with a switch.
pub(super) struct Relay {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Relay {
    /// A relay to `to`, open, which lives as long as the runtime.
    pub(super) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(stream, to, is_open.clone()));
            }
        });
        Self { address, open }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets connections through, or cuts them all, those that are open too.
    pub(super) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

async fn relay(mut stream: TcpStream, to: SocketAddr, mut is_open: watch::Receiver<bool>) {
    if !*is_open.borrow_and_update() {
        return;
    }
    let Ok(mut provider) = TcpStream::connect(to).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut stream, &mut provider) => {}
        _ = is_open.changed() => {}
    }
}
