//! What the tests share: a submission, the sandbox, and a server that answers what
//! a test tells it to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use kyc_adapters::provider::http::signature::{Message, SIGNATURE_HEADER};
use kyc_adapters::provider::{HttpProvider, HttpProviderConfig, SigningKeys};
use kyc_adapters::sandbox::Sandbox;
use kyc_core::Secret;
use kyc_core::domain::customer::{AddressForm, Customer, CustomerForm, DocumentForm};
use kyc_core::domain::ids::{ProviderName, SubjectId, VerificationId};
use kyc_core::fakes::FakeClock;
use kyc_core::ports::provider::{Documents, Submission};

/// Keys of secrets that are 32 times one byte.
pub(crate) fn keys(seeds: &[u8]) -> SigningKeys {
    let secrets: Vec<_> = seeds.iter().map(|seed| Secret::new(vec![*seed; 32])).collect();
    SigningKeys::new(&secrets).unwrap()
}

pub(crate) const KEY: &[u8] = &[7];

pub(crate) fn verification(number: u8) -> VerificationId {
    VerificationId::new(FakeClock::START, [number; 10])
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// Every field that is sent.
pub(crate) fn full_form(number: &str) -> CustomerForm {
    CustomerForm {
        name: Some(secret("Ada Lovelace")),
        email: Some(secret("ada@example.com")),
        phone_number: Some(secret("+442079460958")),
        date_of_birth: Some(secret("1990-12-10")),
        address: Some(AddressForm {
            line1: Some(secret("12 St James's Square")),
            line2: Some(secret("Second floor")),
            city: Some(secret("London")),
            region: Some(secret("Greater London")),
            postal_code: Some(secret("SW1Y 4JH")),
            country: Some(secret("GB")),
        }),
        identity_document: Some(DocumentForm {
            document_type: Some(secret("passport")),
            number: Some(secret(number)),
            issuing_country: Some(secret("GB")),
            issued_on: Some(secret("2021-05-01")),
            expires_on: Some(secret("2031-05-01")),
            mrz: Some(vec![
                secret("P<GBRLOVELACE<<ADA<<<<<<<<<<<<<<<<<<<<<<<<<<"),
                secret("9250764733GBR9012101F3105010<<<<<<<<<<<<<<06"),
            ]),
        }),
        nationalities: Some(vec![secret("GB")]),
        place_of_birth: Some(secret("London")),
        gender: Some(secret("female")),
        tax_ids: None,
        consents: None,
    }
}

pub(crate) fn submission(verification_number: u8, document_number: &str) -> Submission {
    let now = FakeClock::START;
    Submission {
        verification: verification(verification_number),
        subject: SubjectId::new(now, [1; 10]),
        customer: Customer::parse(full_form(document_number), now).unwrap(),
        documents: Documents::none(),
    }
}

pub(crate) fn config(address: SocketAddr) -> HttpProviderConfig {
    let name = ProviderName::parse("vendor").unwrap();
    HttpProviderConfig::new(name, format!("http://{address}"), keys(KEY))
}

pub(crate) fn provider(address: SocketAddr, clock: &FakeClock) -> HttpProvider {
    HttpProvider::new(&config(address), Arc::new(clock.clone())).unwrap()
}

/// A sandbox that serves until the runtime of the test ends.
pub(crate) async fn sandbox(clock: &FakeClock) -> Arc<Sandbox> {
    let clock = Arc::new(clock.clone());
    let sandbox = Arc::new(Sandbox::bind("127.0.0.1:0", keys(KEY), clock).await.unwrap());
    let served = Arc::clone(&sandbox);
    tokio::spawn(async move { served.serve(std::future::pending()).await });
    sandbox
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
            }
            let mut chunk = [0; 1024];
            match stream.read(&mut chunk).ok()? {
                0 => return None,
                length => bytes.extend_from_slice(&chunk[..length]),
            }
        };
        let header = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
        };
        let length = header("content-length").map_or(0, |(_, value)| value.parse().unwrap());
        while bytes.len() < length {
            let mut chunk = [0; 1024];
            let read = stream.read(&mut chunk).ok()?;
            bytes.extend_from_slice(&chunk[..read]);
        }
        let mut line = head.split(' ');
        Some(Self {
            method: line.next().unwrap().to_owned(),
            path: line.next().unwrap().to_owned(),
            signature: header(SIGNATURE_HEADER).map_or_else(String::new, |(_, value)| value.to_owned()),
            body: bytes,
        })
    }
}

/// An answer in HTTP, with further header lines such as `A: b\r\n`.
pub(crate) fn unsigned(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    [head.as_bytes(), headers.as_bytes(), b"\r\n", body].concat()
}

/// The same, signed as the answer to a request.
pub(crate) fn signed(status: u16, request: &Received, body: &[u8]) -> Vec<u8> {
    signed_by(&keys(KEY), status, request, body)
}

pub(crate) fn signed_by(keys: &SigningKeys, status: u16, request: &Received, body: &[u8]) -> Vec<u8> {
    let message = Message::Response { status, request: &request.signature, body };
    let signature = keys.sign(FakeClock::START, message);
    unsigned(status, &format!("{SIGNATURE_HEADER}: {signature}\r\n"), body)
}

/// What the server does after it has written an answer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    Close,
    /// Keeps the connection and says no more.
    Hold,
    /// Says one more byte now and then, so that no single read takes long.
    Trickle,
}

/// A server of the test's own answers, one connection after another.
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FakeServer {
    pub(crate) fn answering(answer: impl FnMut(&Received) -> Vec<u8> + Send + 'static) -> Self {
        Self::start(Then::Close, answer)
    }

    pub(crate) fn start(then: Then, mut answer: impl FnMut(&Received) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let (log, over) = (Arc::clone(&received), Arc::clone(&ending));
        let thread = std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(request) = Received::read(&mut stream) else { continue };
                let answer = answer(&request);
                log.lock().unwrap().push(request);
                // The client may have gone by then.
                let _ = stream.write_all(&answer);
                while then == Then::Trickle && stream.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                if then == Then::Hold {
                    held.push(stream);
                }
            }
        });
        Self { address, received, ending, thread: Some(thread) }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server of the test panicked");
        }
    }
}
