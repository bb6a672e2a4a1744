//! One signed exchange over HTTP, bounded in time and size.

use std::sync::Arc;

use kyc_core::Secret;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::ProviderError;
use ureq::Body;
use ureq::http::{HeaderMap, Method, Request, Response};

use super::super::base::Base;
use super::super::exchange::{Deadline, Line};
use super::super::retry_after;
use super::config::HttpProviderConfig;
use super::signature::{Message, SIGNATURE_HEADER, SigningKeys};

/// An answer that the provider has signed.
pub(super) struct Reply {
    /// The status: 2xx, or a 4xx that is about this request.
    pub(super) status: u16,
    /// The raw body.
    pub(super) body: Secret<Vec<u8>>,
}

/// The signed side of a provider.
pub(super) struct Client {
    line: Line,
    keys: SigningKeys,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(super) fn new(config: &HttpProviderConfig, base: Base, clock: Arc<dyn Clock>) -> Self {
        let line = Line::new(base, config.bounds());
        Self { line, keys: config.keys.clone(), clock }
    }

    /// Sends a request and waits for the signed answer. `path` begins with `/v1`.
    pub(super) fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Secret<Vec<u8>>>,
        deadline: Deadline,
    ) -> Result<Reply, ProviderError> {
        let url = self.line.url(path);
        let path = format!("{}{path}", self.line.base().path);
        let bytes = body.map_or(&[][..], |body| body.expose().as_slice());
        let message = Message::Request { method: method.as_str(), path: &path, body: bytes };
        let signature = self.keys.sign(self.clock.now(), message);
        let request = Request::builder().method(method).uri(url).header(SIGNATURE_HEADER, &signature);
        let response = if body.is_some() {
            self.line.send(request.header("Content-Type", "application/json").body(bytes), deadline)?
        } else {
            self.line.send(request.body(()), deadline)?
        };
        self.authenticate(response, &signature)
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
        let body = self.line.body(&mut response)?;
        let header = only(response.headers(), SIGNATURE_HEADER).ok_or(ProviderError::Malformed)?;
        let message = Message::Response { status, request, body: body.expose() };
        self.keys.verify(header, message).map_err(|_| ProviderError::Malformed)?;
        Ok(Reply { status, body })
    }

    /// Whether the provider is on this machine and without TLS, as in development.
    pub(super) const fn is_local(&self) -> bool {
        self.line.base().insecure && self.line.base().loopback
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
