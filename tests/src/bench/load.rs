//! The load: one thread, many connections, one request in flight on each.
//!
//! It shares the machine's cores with the server, so it does little: the bytes of a request are there from the
//! start but for the digits of an id, and of an answer it reads the status and the length.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::Result;
use crate::arms::rate;
use crate::register::{ID_PREFIX, registration_json};
use crate::server::KEY;

/// The digits of an id, which every request overwrites.
const DIGITS: &str = "0000000000000000";
/// More bytes than any answer has that is asked for here.
const LONGEST_ANSWER: usize = 16 * 1024;
/// How long connections are at work before counting begins: by then each is somewhere else in its exchange.
const WARM_UP: Duration = Duration::from_millis(100);

/// A request with its bytes made, and the status that it should be answered with.
#[derive(Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    digits: Option<Range<usize>>,
    numbers: Arc<AtomicU64>,
    /// Numbers begin anew here.
    below: u64,
    status: [u8; 3],
}

impl Request {
    /// A registration of a new customer each time, numbered from `numbers`.
    pub(crate) fn register(address: SocketAddr, numbers: &Arc<AtomicU64>) -> Self {
        let body = registration_json(&format!("{ID_PREFIX}{DIGITS}"));
        let head = head("POST", "/customers", address);
        let length = body.len();
        let text = format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
        Self::of(text, Arc::clone(numbers), u64::MAX, *b"201")
    }

    /// The status of one of the first `below` customers after the other.
    pub(crate) fn status(address: SocketAddr, below: u64) -> Self {
        let path = format!("/customers/{ID_PREFIX}{DIGITS}/kyc-status");
        Self::of(format!("{}\r\n", head("GET", &path, address)), Arc::default(), below.max(1), *b"200")
    }

    /// Who asks: the request that does nothing but authenticate.
    pub(crate) fn whoami(address: SocketAddr) -> Self {
        Self::of(format!("{}\r\n", head("GET", "/whoami", address)), Arc::default(), u64::MAX, *b"200")
    }

    fn of(text: String, numbers: Arc<AtomicU64>, below: u64, status: [u8; 3]) -> Self {
        let digits = text.find(DIGITS).map(|at| at..at + DIGITS.len());
        Self { bytes: text.into_bytes(), digits, numbers, below, status }
    }

    /// Writes the next number into the bytes.
    fn renew(&mut self) {
        let Some(digits) = self.digits.clone().and_then(|range| self.bytes.get_mut(range)) else { return };
        let mut rest = self.numbers.fetch_add(1, Ordering::Relaxed) % self.below;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }
}

fn head(method: &str, path: &str, address: SocketAddr) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n")
}

/// Connections that ask the same thing.
pub(crate) struct Load {
    runtime: Runtime,
    address: SocketAddr,
    connections: usize,
    request: Request,
}

impl Load {
    /// So many connections. None is open between runs: the server closes those that idle for some seconds.
    pub(crate) fn of(address: SocketAddr, connections: usize, request: &Request) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, address, connections, request: request.clone() })
    }

    /// Keeps every connection asking for so long, and says how many answers came a second, and how many came
    /// at all. It returns when nothing is in flight any more.
    pub(crate) fn run(&self, window: Duration) -> Result<(f64, u64)> {
        let (counted, all) = self.runtime.block_on(async {
            let mut open = Vec::with_capacity(self.connections);
            for _ in 0..self.connections {
                open.push(Connection::open(self.address, self.request.clone()).await?);
            }
            let begin = Instant::now() + WARM_UP;
            let end = begin + window;
            let mut asking: JoinSet<io::Result<(u64, u64)>> =
                open.into_iter().map(|connection| connection.ask(begin, end)).collect();
            let (mut counted, mut all) = (0, 0);
            while let Some(asked) = asking.join_next().await {
                let answers = asked??;
                counted += answers.0;
                all += answers.1;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>((counted, all))
        })?;
        Ok((rate(counted, window), all))
    }
}

struct Connection {
    stream: TcpStream,
    request: Request,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, request: Request) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request, answer: vec![0; LONGEST_ANSWER] })
    }

    /// Asks again and again until `end`, and counts the answers since `begin`, and all of them.
    async fn ask(mut self, begin: Instant, end: Instant) -> io::Result<(u64, u64)> {
        let (mut counted, mut all) = (0, 0);
        loop {
            self.exchange().await?;
            all += 1;
            let now = Instant::now();
            if now >= end {
                return Ok((counted, all));
            }
            counted += u64::from(now >= begin);
        }
    }

    async fn exchange(&mut self) -> io::Result<()> {
        self.request.renew();
        self.stream.write_all(&self.request.bytes).await?;
        let mut filled = 0;
        loop {
            let room = self.answer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(room).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            let answer = self.answer.get(..filled).unwrap_or_default();
            if answer_length(answer).is_some_and(|length| filled >= length) {
                let status = answer.get(9..12).unwrap_or_default();
                return if *status == self.request.status {
                    Ok(())
                } else {
                    Err(io::Error::other(format!("answered {}", String::from_utf8_lossy(status))))
                };
            }
        }
    }
}

/// The length of an answer, head and body, once its head is there.
fn answer_length(answer: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (mut head, mut body) = (0, 0);
    for line in answer.split_inclusive(|byte| *byte == b'\n') {
        head += line.len();
        if line == b"\r\n" {
            return Some(head + body);
        }
        if let Some((name, value)) = line.split_at_checked(NAME.len())
            && name.eq_ignore_ascii_case(NAME)
        {
            body = std::str::from_utf8(value).ok()?.trim().parse().ok()?;
        }
    }
    None
}
