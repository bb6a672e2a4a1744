//! Headers that every answer bears (OWASP ASVS 5.0.0, 3.4.1 to 3.4.6, 3.4.8 and 4.1.1).

use poem::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use poem::http::{HeaderMap, HeaderValue};
use poem::{Endpoint, IntoResponse, Request, Response, Result};

/// Answers are data, never pages.
const API_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI is one page with its script and styles in line, and asks this server only.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// A year in which browsers ask this host and those below it by TLS only (RFC 6797, section 6.1).
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// An endpoint whose answers bear the headers. What an answer set itself stays.
pub struct SecurityHeaders<E> {
    inner: E,
    by_tls: bool,
}

impl<E> SecurityHeaders<E> {
    /// Wraps an endpoint. Where clients reach it `by_tls`, they are told never to try without; over plain HTTP
    /// nobody may be told so (RFC 6797, section 7.2).
    pub const fn new(inner: E, by_tls: bool) -> Self {
        Self { inner, by_tls }
    }
}

impl<E: Endpoint> Endpoint for SecurityHeaders<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path();
        let is_docs = path == "/docs" || path.starts_with("/docs/");
        let mut response = self.inner.call(request).await?.into_response();
        let policy = if is_docs { DOCS_POLICY } else { API_POLICY };
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, policy),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
        ] {
            headers.entry(name).or_insert(value);
        }
        if self.by_tls {
            headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
        }
        if is_docs {
            headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
        }
        name_charset(headers);
        Ok(response)
    }
}

/// All text of ours is UTF-8; where a Content-Type does not say so, it is added.
fn name_charset(headers: &mut HeaderMap) {
    let Some(media_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_text = essence.starts_with("text/") || essence.ends_with("/json") || essence.ends_with("+json");
    if is_text
        && !media_type.contains("charset=")
        && let Ok(value) = HeaderValue::try_from(format!("{media_type}; charset=utf-8"))
    {
        headers.insert(CONTENT_TYPE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_given_its_charset_and_nothing_else_is() {
        for (given, made) in [
            ("application/json", "application/json; charset=utf-8"),
            ("application/problem+json", "application/problem+json; charset=utf-8"),
            ("text/csv", "text/csv; charset=utf-8"),
            ("text/html; charset=utf-8", "text/html; charset=utf-8"),
            ("text/csv; header=present", "text/csv; header=present; charset=utf-8"),
            ("image/png", "image/png"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(given));
            name_charset(&mut headers);
            assert_eq!(headers[CONTENT_TYPE], made);
        }
    }
}
