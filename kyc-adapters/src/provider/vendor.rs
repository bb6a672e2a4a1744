//! What the adapters of vendors share: credentials, one exchange of JSON, and what each status means for a verification.
//!
//! A vendor's answers are not signed, so TLS alone says that they are the vendor's. What comes without being JSON is
//! taken for a proxy's in between, whatever its status: it decides nothing for good.

use std::sync::Arc;
use std::time::Duration;

use kyc_core::Secret;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::{Callback, CallbackError, ProviderError};
use ring::hmac;
use serde::de::DeserializeOwned;
use ureq::AsSendBody;
use ureq::http::header::CONTENT_TYPE;
use ureq::http::{HeaderMap, HeaderValue, Request};

use super::base::{Base, ConfigError};
use super::exchange::{Bounds, Deadline, Line};
use super::retry_after;

/// The longest token of a vendor's API, in bytes.
const MAX_TOKEN: usize = 512;

/// Connections to one vendor.
pub(super) struct Vendor {
    line: Line,
    clock: Arc<dyn Clock>,
}

/// An answer that is the vendor's: 2xx, or a 4xx that is about this request.
pub(super) struct Reply {
    /// The status.
    pub(super) status: u16,
    /// The body: JSON, or nothing where the status is 204.
    pub(super) body: Secret<Vec<u8>>,
}

impl Vendor {
    pub(super) fn new(base: Base, bounds: Bounds, clock: Arc<dyn Clock>) -> Self {
        Self { line: Line::new(base, bounds), clock }
    }

    /// The address of a path, which begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        self.line.url(path)
    }

    /// Sends a request and reads the whole answer.
    pub(super) fn exchange<S: AsSendBody>(
        &self,
        request: Result<Request<S>, ureq::http::Error>,
        deadline: Deadline,
    ) -> Result<Reply, ProviderError> {
        let mut response = self.line.send(request, deadline)?;
        let status = response.status().as_u16();
        let retry_after = || retry_after::read(response.headers(), self.clock.now());
        if let Some(error) = failure(status, retry_after) {
            return Err(error);
        }
        if status != 204 && !is_json(response.headers()) {
            return Err(ProviderError::Malformed);
        }
        Ok(Reply { status, body: self.line.body(&mut response)? })
    }
}

/// The header `Authorization`: the scheme, as the vendor writes it with what follows on it, and the operator's token.
pub(super) fn authorization(scheme: &str, token: &Secret<String>) -> Result<HeaderValue, ConfigError> {
    let token = token.expose();
    if !(1..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ConfigError::Token);
    }
    let text = Secret::new(format!("{scheme}{token}"));
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| ConfigError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The secrets by which a vendor's callbacks are known to be genuine, HMAC-SHA256 each: none, one, or two while one is
/// replaced.
#[derive(Default)]
pub(super) struct CallbackKeys(Vec<hmac::Key>);

impl CallbackKeys {
    /// As many as can be valid at a time.
    const MAX: usize = 2;

    pub(super) fn new(secrets: &[Secret<String>]) -> Result<Self, ConfigError> {
        let formed = |secret: &Secret<String>| (16..=512).contains(&secret.expose().len());
        if secrets.len() > Self::MAX || !secrets.iter().all(formed) {
            return Err(ConfigError::CallbackSecrets);
        }
        let key = |secret: &Secret<String>| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Ok(Self(secrets.iter().map(key).collect()))
    }

    /// The value of the header that bears the signature. Without a secret there are no callbacks.
    pub(super) fn header<'a>(&self, callback: &'a Callback, name: &str) -> Result<&'a str, CallbackError> {
        if self.0.is_empty() {
            return Err(CallbackError::Unsupported);
        }
        callback.header(name).ok_or(CallbackError::BadSignature)
    }

    /// Whether one of the secrets has signed this, each comparison in constant time.
    pub(super) fn have_signed(&self, signed: &[u8], tag: &[u8]) -> bool {
        self.0.iter().any(|key| hmac::verify(key, signed, tag).is_ok())
    }
}

impl Reply {
    /// The body of an answer that has this status: [`ProviderError::Refused`] where it is another of 4xx.
    pub(super) fn read<T: DeserializeOwned>(&self, status: u16) -> Result<T, ProviderError> {
        if self.status == status {
            return serde_json::from_slice(self.body.expose()).map_err(|_| ProviderError::Malformed);
        }
        Err(self.unexpected())
    }

    /// What a status means that nobody asked for.
    pub(super) const fn unexpected(&self) -> ProviderError {
        match self.status {
            400..=499 => ProviderError::Refused,
            _ => ProviderError::Malformed,
        }
    }
}

/// What a status means by itself; none where the answer has to be read.
fn failure(status: u16, retry_after: impl Fn() -> Option<Duration>) -> Option<ProviderError> {
    match status {
        // Credentials that the operator has to mend, and "later".
        401 | 403 | 408 | 425 | 500..=599 => Some(ProviderError::Transient),
        429 => Some(ProviderError::RateLimited { retry_after: retry_after() }),
        200..=299 | 400..=499 => None,
        // A redirect is followed nowhere, and what is no status of HTTP means nothing.
        _ => Some(ProviderError::Malformed),
    }
}

/// Whether a body is JSON by its type (RFC 8259, and the suffix of RFC 6839).
fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_meaning() {
        let delay = Some(Duration::from_secs(7));
        let limited = ProviderError::RateLimited { retry_after: delay };
        for (status, expected) in [
            (200, None),
            (201, None),
            (204, None),
            (301, Some(ProviderError::Malformed)),
            (304, Some(ProviderError::Malformed)),
            (400, None),
            (401, Some(ProviderError::Transient)),
            (403, Some(ProviderError::Transient)),
            (404, None),
            (408, Some(ProviderError::Transient)),
            (422, None),
            (425, Some(ProviderError::Transient)),
            (429, Some(limited)),
            (500, Some(ProviderError::Transient)),
            (503, Some(ProviderError::Transient)),
            (599, Some(ProviderError::Transient)),
            (600, Some(ProviderError::Malformed)),
            (999, Some(ProviderError::Malformed)),
        ] {
            assert_eq!(failure(status, || delay), expected, "{status}");
        }
        let reply = |status| Reply { status, body: Secret::new(b"{}".to_vec()) };
        let empty = serde_json::json!({});
        assert_eq!(reply(201).read(201), Ok(empty));
        assert_eq!(reply(200).read::<serde_json::Value>(201), Err(ProviderError::Malformed));
        assert_eq!(reply(404).read::<serde_json::Value>(201), Err(ProviderError::Refused));
        assert_eq!(reply(200).read::<Vec<u8>>(200), Err(ProviderError::Malformed));
    }

    #[test]
    fn json_is_told_by_its_type_whatever_follows_it() {
        for (text, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("application/problem+json", true),
            ("text/html", false),
            ("text/json+html", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, text.parse().unwrap())]);
            assert_eq!(is_json(&headers), expected, "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
