//! Cross-origin requests of browsers (the Fetch standard, section 3.3): from a list of origins, or, by default,
//! from none.
//!
//! Who asks is told by a key in a header that a page has to send itself, so nothing here has a browser send
//! cookies or other credentials of its own, and `Access-Control-Allow-Credentials` is never said.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::Uri;
use poem::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode};
use poem::{Endpoint, Request, Response, Result};

use crate::api::routes::Routes;

/// The headers that a page may send, besides those that it always may.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, if-match, traceparent, x-request-id",
);
/// The headers of an answer that a page may read, besides those that it always may.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "allow, etag, idempotency-replayed, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
);
/// For how long a browser remembers the answer to a preflight: two hours, the most that one takes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Origins whose pages may use the API; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeSet<String>);

impl Origins {
    /// Reads origins with commas between them. None where one is not written as a browser sends it: scheme,
    /// host, and the port where it is not that of the scheme, in lower case and without a path (RFC 6454,
    /// section 6.2). A wildcard is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origin = |text: &str| is_origin(text.trim()).then(|| text.trim().to_owned());
        text.split(',').map(origin).collect::<Option<_>>().map(Self)
    }

    fn contains(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.0.contains(origin))
    }
}

fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
    let port = match (scheme, uri.port_u16()) {
        ("https", Some(443)) | ("http", Some(80)) => return false,
        ("https" | "http", Some(port)) => format!(":{port}"),
        ("https" | "http", None) => String::new(),
        (_, _) => return false,
    };
    let is_name = !host.is_empty() && !host.contains(|c: char| c == '*' || c.is_ascii_uppercase());
    is_name && text == format!("{scheme}://{host}{port}")
}

/// An endpoint that pages of some origins may use.
pub(super) struct Cors<E> {
    inner: E,
    origins: Origins,
    routes: Arc<Routes>,
}

impl<E> Cors<E> {
    /// Wraps an endpoint; `routes` tells the methods of a path.
    pub(super) const fn new(inner: E, origins: Origins, routes: Arc<Routes>) -> Self {
        Self { inner, origins, routes }
    }

    /// The answer to the question whether a page may send a request. It costs less than a refusal, so it is not
    /// counted against any limit.
    fn preflight(&self, path: &str) -> Response {
        let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.routes.allow(path));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Cors<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if self.origins.0.is_empty() {
            return self.inner.call(request).await;
        }
        // A browser never sends two; of what is no browser nothing depends on it.
        let origin = request.headers().get(ORIGIN).filter(|origin| self.origins.contains(origin)).cloned();
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let mut response = match &origin {
            Some(_) if asks => self.preflight(request.uri().path()),
            Some(_) | None => self.inner.get_response(request).await,
        };
        if let Some(origin) = origin {
            allow(response.headers_mut(), origin);
        }
        // Also where the origin is none of the list: a cache must not give that answer to one that is.
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        Ok(response)
    }
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_a_browser_sends_it() {
        let good = "https://app.example.com, http://localhost:5173,https://[2001:db8::1]:8443";
        let origins = Origins::parse(good).unwrap();
        for origin in ["https://app.example.com", "http://localhost:5173", "https://[2001:db8::1]:8443"] {
            assert!(origins.contains(&HeaderValue::from_static(origin)), "{origin}");
        }
        for other in ["https://app.example.com:8443", "http://app.example.com", "https://example.com", "null"]
        {
            assert!(!origins.contains(&HeaderValue::from_static(other)), "{other}");
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?q",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://App.example.com",
            "https://user@app.example.com",
            "ftp://app.example.com",
            "https://",
            "https://a.example, ",
        ] {
            assert_eq!(Origins::parse(bad), None, "{bad}");
        }
    }
}
