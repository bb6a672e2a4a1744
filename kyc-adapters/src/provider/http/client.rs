//! One signed exchange over HTTP, bounded in time and size.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kyc_core::Secret;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::ProviderError;
use ureq::http::{HeaderMap, Method, Request, Response};
use ureq::{Agent, Body};

use super::config::{Base, HttpProviderConfig};
use super::retry_after;
use super::signature::{Message, SIGNATURE_HEADER, SigningKeys};

/// How long an idle connection is kept: less than servers do, so that a submission does not meet one that
/// was just closed.
const MAX_IDLE: Duration = Duration::from_secs(3);
/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// The end of one step's time, which its exchanges share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// The end of a step that begins now.
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    fn remaining(self) -> Result<Duration, ProviderError> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ProviderError::Transient) } else { Ok(left) }
    }
}

/// An answer that the provider has signed.
pub(super) struct Reply {
    /// The status: 2xx, or a 4xx that is about this request.
    pub(super) status: u16,
    /// The raw body.
    pub(super) body: Secret<Vec<u8>>,
}

/// The signed side of a provider.
pub(super) struct Client {
    agent: Agent,
    base: Base,
    keys: SigningKeys,
    max_body: usize,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(super) fn new(config: &HttpProviderConfig, base: Base, clock: Arc<dyn Clock>) -> Self {
        let agent = Agent::config_builder()
            // A proxy of the environment would see every applicant; an operator who wants one says so in the
            // base URL.
            .proxy(None)
            .max_redirects(0)
            .https_only(!base.insecure)
            .http_status_as_error(false)
            .user_agent(concat!("kyc-adapters/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .timeout_global(Some(config.timeout))
            .max_response_header_size(MAX_HEAD)
            .max_idle_age(MAX_IDLE)
            .build()
            .into();
        Self { agent, base, keys: config.keys.clone(), max_body: config.max_body, clock }
    }

    /// Sends a request and waits for the signed answer. `path` begins with `/v1`.
    pub(super) fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Secret<Vec<u8>>>,
        deadline: Deadline,
    ) -> Result<Reply, ProviderError> {
        let path = format!("{}{path}", self.base.path);
        let bytes = body.map_or(&[][..], |body| body.expose().as_slice());
        let message = Message::Request { method: method.as_str(), path: &path, body: bytes };
        let signature = self.keys.sign(self.clock.now(), message);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base.origin))
            .header(SIGNATURE_HEADER, &signature);
        let response = if body.is_some() {
            self.run(request.header("Content-Type", "application/json").body(bytes), deadline)?
        } else {
            self.run(request.body(()), deadline)?
        };
        self.authenticate(response, &signature)
    }

    fn run<S: ureq::AsSendBody>(
        &self,
        request: Result<Request<S>, ureq::http::Error>,
        deadline: Deadline,
    ) -> Result<Response<Body>, ProviderError> {
        let request = request.map_err(|_| ProviderError::Malformed)?;
        let left = deadline.remaining()?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request).map_err(|error| classify(&error))
    }

    /// Reads nothing of an answer but its status before the signature was compared. A status without a
    /// signature decides nothing for good: a proxy in between may have sent it.
    fn authenticate(&self, mut response: Response<Body>, request: &str) -> Result<Reply, ProviderError> {
        let status = response.status().as_u16();
        match status {
            // Credentials that the operator has to mend, and "later".
            401 | 403 | 408 | 425 | 500..=599 => return Err(ProviderError::Transient),
            429 => {
                let retry_after = retry_after::read(response.headers(), self.clock.now());
                return Err(ProviderError::RateLimited { retry_after });
            }
            200..=299 | 400..=499 => {}
            _ => return Err(ProviderError::Malformed),
        }
        let limit = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = Secret::new(body.map_err(|error| classify(&error))?);
        let header = only(response.headers(), SIGNATURE_HEADER).ok_or(ProviderError::Malformed)?;
        let message = Message::Response { status, request, body: body.expose() };
        self.keys.verify(header, message).map_err(|_| ProviderError::Malformed)?;
        Ok(Reply { status, body })
    }

    /// Whether the provider is on this machine and without TLS, as in development.
    pub(super) const fn is_local(&self) -> bool {
        self.base.insecure && self.base.loopback
    }

    pub(super) const fn keys(&self) -> &SigningKeys {
        &self.keys
    }
}

/// The value of a header that is there once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        (None | Some(_), _) => None,
    }
}

/// What is not HTTP, or too big, is malformed; all else is the network, the name, TLS or the time.
const fn classify(error: &ureq::Error) -> ProviderError {
    let malformed = matches!(
        error,
        ureq::Error::Protocol(_)
            | ureq::Error::Http(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::BodyExceedsLimit(_)
            | ureq::Error::LargeResponseHeader(_, _)
            | ureq::Error::BodyStalled
    );
    if malformed { ProviderError::Malformed } else { ProviderError::Transient }
}
