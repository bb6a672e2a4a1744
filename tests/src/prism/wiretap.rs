//! A relay before Prism that reads along, so that the reasons of what Prism refuses are known whatever becomes of
//! its answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What marks an answer that Prism made of a violation.
const REFUSED: &str = "stoplight.io/prism/errors#";
/// The header that names violations which Prism lets pass.
const VIOLATIONS: &str = "sl-violations:";

#[derive(Debug, Default)]
struct Heard {
    exchanges: usize,
    violations: Vec<String>,
}

/// The relay.
#[derive(Debug)]
pub(super) struct Wiretap {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

impl Wiretap {
    /// A relay to `to`, which lives as long as the process.
    pub(super) fn before(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::default();
        let all = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let heard = Arc::clone(&all);
                thread::spawn(move || relay(&stream, to, &heard));
            }
        });
        Self { address, heard }
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn exchanges(&self) -> usize {
        self.heard.lock().unwrap().exchanges
    }

    pub(super) fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap().violations)
    }
}

/// Relays one connection. An answer ends where the next request begins, or with the connection; what is wrong with
/// it is known before its last byte is passed on.
fn relay(client: &TcpStream, to: SocketAddr, heard: &Arc<Mutex<Heard>>) {
    // Where Prism has ended there is nobody to relay to.
    let Ok(prism) = TcpStream::connect(to) else { return };
    let request = Arc::new(Mutex::new(String::new()));
    let up = {
        let (mut from, mut to) = (client.try_clone().unwrap(), prism.try_clone().unwrap());
        let request = Arc::clone(&request);
        thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            while let Ok(read @ 1..) = from.read(&mut chunk) {
                if let Some(line) = request_line(&chunk[..read]) {
                    *request.lock().unwrap() = line;
                }
                if to.write_all(&chunk[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        })
    };
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    let (mut from, mut back) = (&prism, client);
    let mut counted: Option<usize> = None;
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        if chunk[..read].starts_with(b"HTTP/1.1 ") {
            answer.clear();
            heard.lock().unwrap().exchanges += 1;
            counted = None;
        }
        answer.extend_from_slice(&chunk[..read]);
        if let Some(reasons) = violation(&answer) {
            let line = format!("{}: {reasons}", request.lock().unwrap());
            let violations = &mut heard.lock().unwrap().violations;
            // What came with more of the same answer says it better.
            if let Some(known) = counted.and_then(|index| violations.get_mut(index)) {
                *known = line;
            } else {
                counted = Some(violations.len());
                violations.push(line);
            }
        }
        if back.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = prism.shutdown(Shutdown::Both);
    let _ = up.join();
}

/// The method and the path, where a chunk begins a request.
fn request_line(chunk: &[u8]) -> Option<String> {
    let line = chunk.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_suffix(" HTTP/1.1").map(str::to_owned)
}

/// What is wrong, where an answer says so: Prism's own words.
fn violation(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    if body.contains(REFUSED) {
        return Some(body.to_owned());
    }
    let header = head.lines().find(|line| line.to_ascii_lowercase().starts_with(VIOLATIONS));
    header.map(|line| line[VIOLATIONS.len()..].trim().to_owned())
}
