//! A small HTTP/1.1 server for fakes of vendors, which can be made to fail in every way that a network can.

mod wire;

use std::io::BufReader;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

pub use wire::{Reply, Request};

/// How a server fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens: connections are refused, and those that are open are closed.
    Refuse,
    /// The request is read and not handled, and the connection closed without a word.
    Close,
    /// The request is handled, and the connection reset in the middle of the answer.
    Reset,
    /// The request is handled, and nothing is said, for as long as the client waits.
    Hang,
    /// The request is not handled, and this said instead: a status, HTML, any headers.
    Answer(Reply),
    /// The request is handled, and only half of the answer's body comes before the end.
    Truncate,
    /// The request is handled, and the answer's body never ends.
    Endless,
}

/// What a fake answers to a request.
type Handler = dyn Fn(&Request) -> Reply + Send + Sync;
/// Which requests a fault concerns.
type Concerns = dyn Fn(&Request) -> bool + Send + Sync;

/// A server on a loopback port, for one test; it ends when it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    handler: Box<Handler>,
    state: Mutex<State>,
    closing: AtomicBool,
}

#[derive(Default)]
struct State {
    received: Vec<Request>,
    fault: Option<(Fault, Arc<Concerns>)>,
    connections: Vec<TcpStream>,
}

impl Server {
    /// Serves what the handler answers. Requests of several connections are handled side by side.
    ///
    /// # Panics
    /// Where there is no port.
    #[must_use]
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            state: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let accepting = Mutex::new(Some(accept(listener, Arc::clone(&shared))));
        Self { shared, address, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as a base address, such as `http://127.0.0.1:4010`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request that came, in order, whatever became of it.
    #[must_use]
    pub fn received(&self) -> Vec<Request> {
        self.shared.state().received.clone()
    }

    /// How many requests of this method came whose path, without its query, is this one.
    #[must_use]
    pub fn count(&self, method: &str, path: &str) -> usize {
        let state = self.shared.state();
        state.received.iter().filter(|request| request.method == method && request.path() == path).count()
    }

    /// Fails every request from now on.
    pub fn fail(&self, fault: Fault) {
        self.fail_where(fault, |_| true);
    }

    /// Fails the requests that are of this kind from now on, and takes the others. [`Fault::Refuse`] knows no
    /// kinds.
    pub fn fail_where(&self, fault: Fault, concerns: impl Fn(&Request) -> bool + Send + Sync + 'static) {
        if fault == Fault::Refuse {
            self.hang_up();
        }
        self.shared.state().fault = Some((fault, Arc::new(concerns)));
    }

    /// Takes requests as at the start again.
    ///
    /// # Panics
    /// Where the port is another's by now.
    pub fn heal(&self) {
        self.shared.state().fault = None;
        let mut accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        if accepting.is_none() {
            self.shared.closing.store(false, Ordering::SeqCst);
            let listener = TcpListener::bind(self.address).unwrap();
            *accepting = Some(accept(listener, Arc::clone(&self.shared)));
        }
    }

    /// Stops listening, and closes every connection.
    fn hang_up(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting {
            self.shared.closing.store(true, Ordering::SeqCst);
            // The accepting thread sees the sign when somebody comes.
            let _ = TcpStream::connect(self.address);
            let _ = accepting.join();
        }
        for connection in self.shared.state().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one connection until it ends.
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = wire::read(&mut reader)? {
            let fault = {
                let mut state = self.state();
                state.received.push(request.clone());
                let fault = state.fault.clone();
                fault.filter(|(_, concerns)| concerns(&request)).map(|(fault, _)| fault)
            };
            let Some(fault) = fault else {
                wire::write(stream, &(self.handler)(&request))?;
                continue;
            };
            match fault {
                Fault::Refuse | Fault::Close => break,
                Fault::Answer(reply) => wire::write(stream, &reply)?,
                Fault::Reset => {
                    wire::write_half(stream, &(self.handler)(&request))?;
                    reset(stream)?;
                    break;
                }
                Fault::Hang => {
                    let _ = (self.handler)(&request);
                    // The client's next word is that it goes.
                    let _ = wire::read(&mut reader);
                    break;
                }
                Fault::Truncate => {
                    wire::write_half(stream, &(self.handler)(&request))?;
                    break;
                }
                Fault::Endless => {
                    let _ = (self.handler)(&request);
                    wire::write_without_end(stream)?;
                }
            }
        }
        Ok(())
    }
}

/// Has the connection reset when its last handle is dropped. Only tokio sets the option for it.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _within = runtime.enter();
    let stream = stream.try_clone()?;
    stream.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(stream)?.set_zero_linger()
}

fn accept(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if shared.closing.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let Ok(known) = stream.try_clone() else { continue };
            let peer = known.peer_addr().ok();
            shared.state().connections.push(known);
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                // A client that has gone is no failure of the server.
                let _ = shared.serve(&stream);
                shared.state().connections.retain(|other| other.peer_addr().ok() != peer);
                drop(stream);
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};

    use super::*;

    fn ask(server: &Server) -> Result<String, ErrorKind> {
        let mut stream = TcpStream::connect(server.address()).map_err(|error| error.kind())?;
        let asked = stream.write_all(b"POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
        asked.map_err(|error| error.kind())?;
        stream.shutdown(Shutdown::Write).map_err(|error| error.kind())?;
        // What never ends has been seen to begin.
        let mut text = String::new();
        let read = stream.take(100_000).read_to_string(&mut text);
        read.map_err(|error| error.kind()).map(|_| text)
    }

    #[test]
    fn each_fault_is_what_it_says_and_heals() {
        let server = Server::start(|request| {
            assert_eq!(request.body, b"x");
            Reply::of(200, "text/plain", "an answer")
        });
        let healthy = |server: &Server| assert!(ask(server).unwrap().ends_with("an answer"));
        healthy(&server);
        server.fail(Fault::Refuse);
        assert_eq!(ask(&server), Err(ErrorKind::ConnectionRefused));
        server.heal();
        healthy(&server);
        server.fail(Fault::Reset);
        assert_eq!(ask(&server), Err(ErrorKind::ConnectionReset));
        for (fault, end) in [
            (Fault::Close, ""),
            (Fault::Hang, ""),
            (Fault::Truncate, "an a"),
            (Fault::Endless, "    "),
            (Fault::Answer(Reply::html(502)), "network.</p>"),
        ] {
            server.fail(fault.clone());
            let text = ask(&server).unwrap();
            assert!(text.ends_with(end) && !text.ends_with("an answer"), "{fault:?}: {text}");
        }
        server.fail_where(Fault::Close, |request| request.path() == "/b");
        healthy(&server);
        assert_eq!(server.count("POST", "/a"), 9);
    }
}
