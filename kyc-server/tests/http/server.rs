//! A server of the example over real TCP, and what comes back from it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kyc_core::Secret;
use kyc_core::domain::actor::Actor;
use kyc_core::ports::Entropy;
use kyc_core::ports::entropy::NoEntropy;
use kyc_server::api::auth::{Authenticate, BootstrapKey, NotAuthenticated};
use kyc_server::api::limits::{Limiter, Rates};
use kyc_server::api::routes::Routes;
use kyc_server::api::whoami::WhoamiApi;
use kyc_server::serve::{Around, Front, Limits, layered, serve};
use poem::endpoint::make_sync;
use poem::http::Method;
use poem::web::Html;
use poem::{EndpointExt, Route, get};
use poem_openapi::OpenApiService;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::example::ExampleApi;

/// The admin key.
pub(crate) const KEY: &str = "test-key-0123456789-0123456789-01";
/// Long enough that only a failure meets it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that count up.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

/// One key and no other.
struct OneKey(BootstrapKey);

#[async_trait]
impl Authenticate for OneKey {
    async fn authenticate(
        &self,
        presented: &Secret<String>,
        _address: Option<IpAddr>,
    ) -> Result<Actor, NotAuthenticated> {
        self.0.holder(presented).ok_or(NotAuthenticated::Unknown)
    }
}

/// What a server of the example is made with.
pub(crate) struct Builder {
    pub(crate) front: Front,
    pub(crate) deadline: Duration,
    pub(crate) rates: Rates,
}

impl Default for Builder {
    fn default() -> Self {
        let limits = Limits { head: PATIENCE, handshake: PATIENCE, ..Limits::default() };
        Self { front: Front { limits, ..Front::default() }, deadline: PATIENCE, rates: Rates::default() }
    }
}

/// A server of the example, for one test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: JoinHandle<std::io::Result<()>>,
    pub(crate) begun: Arc<Notify>,
    pub(crate) go_on: Arc<Notify>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::of(Builder::default()).await
    }

    pub(crate) async fn limited(limits: Limits, deadline: Duration) -> Self {
        let front = Front { limits, ..Front::default() };
        Self::of(Builder { front, deadline, ..Builder::default() }).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let Builder { front, deadline, rates } = builder;
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let api = (ExampleApi { begun: Arc::clone(&begun), go_on: Arc::clone(&go_on) }, WhoamiApi);
        let routes = Routes::of::<(ExampleApi, WhoamiApi)>().with("/docs", &Method::GET);
        let service = OpenApiService::new(api, "Example", "1");
        let keys: Arc<dyn Authenticate> =
            Arc::new(OneKey(BootstrapKey::new(&Secret::new(KEY.to_owned()), "bootstrap").unwrap()));
        let docs = get(make_sync(|_| Html("<script></script>")));
        let limiter = Arc::new(Limiter::new(rates));
        let endpoint =
            Route::new().at("/docs", docs).nest("/", service).data(keys).data(Arc::clone(&limiter));
        let entropy = Arc::new(Counting::default());
        let endpoint = layered(endpoint, routes, Around { entropy, deadline, limiter, front: front.clone() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let served = tokio::spawn(serve(listener, endpoint, front, stopped));
        Self { address, stop, served, begun, go_on }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads what comes until the server closes.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        Answer::last(&mut stream).await
    }

    pub(crate) async fn send(&self, head: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{head}\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        self.exchange(request.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1"), "").await
    }

    pub(crate) async fn greet(&self, body: &str) -> Answer {
        self.send("POST /greetings HTTP/1.1\r\nContent-Type: application/json", body).await
    }
}

/// An answer as it came, or nothing where the server just closed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn last(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self { head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The name of the problem, after checking that it is one.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json; charset=utf-8"), "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status());
        assert_eq!(body["instance"], format!("urn:request:{}", self.header("x-request-id").unwrap()));
        body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }

    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let body = self.json();
        let faults = body["errors"].as_array().unwrap();
        faults.iter().map(|fault| (text(&fault["pointer"]), text(&fault["code"]))).collect()
    }
}
