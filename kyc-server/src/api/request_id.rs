//! The id of a request: echoed or made, in the span of every log line, and in one line for each answer.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use kyc_core::domain::actor::RequestId;
use kyc_core::ports::Entropy;
use poem::http::header::HeaderName;
use poem::http::{HeaderValue, Method, StatusCode};
use poem::{Endpoint, IntoResponse, Request, Response, Result};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::api::problem::{Problem, ProblemKind};
use crate::api::routes::Routes;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An endpoint within whose requests a [`RequestId`] is in the data.
pub struct RequestIds<E> {
    inner: E,
    routes: Arc<Routes>,
    entropy: Arc<dyn Entropy>,
}

impl<E> RequestIds<E> {
    /// Wraps an endpoint; `routes` tells the template of a path, which logs show in its place.
    pub const fn new(inner: E, routes: Arc<Routes>, entropy: Arc<dyn Entropy>) -> Self {
        Self { inner, routes, entropy }
    }

    fn id_of(&self, request: &Request) -> Option<RequestId> {
        let given = request.headers().get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        if let Some(id) = given.and_then(|value| RequestId::parse(value).ok()) {
            return Some(id);
        }
        let mut random = [0; 16];
        self.entropy.fill(&mut random).ok()?;
        RequestId::parse(&HEXLOWER.encode(&random)).ok()
    }
}

impl<E: Endpoint> Endpoint for RequestIds<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let Some(id) = self.id_of(&request) else {
            tracing::error!("a request was refused: there is no randomness to name it");
            return Ok(Problem::new(ProblemKind::Unavailable).into_response());
        };
        let route = self.routes.template(request.uri().path()).unwrap_or("none");
        let span = tracing::info_span!(
            "request",
            request_id = id.as_str(),
            method = method_name(request.method()),
            route,
            trace_id = request.header("traceparent").and_then(trace_id),
        );
        request.set_data(id.clone());
        // Probes would drown everything else.
        let quiet = route.starts_with("/health");
        let mut line = Line { span: span.clone(), begun: Instant::now(), quiet, written: false };
        let mut response = self.inner.get_response(request).instrument(span).await;
        line.write(response.status());
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        Ok(response)
    }
}

/// The one log line of a request, also of one whose client went away.
struct Line {
    span: Span,
    begun: Instant,
    quiet: bool,
    written: bool,
}

impl Line {
    fn write(&mut self, status: StatusCode) {
        self.written = true;
        let _within = self.span.enter();
        let (status, latency_ms) = (status.as_u16(), self.latency_ms());
        if self.quiet {
            tracing::debug!(status, latency_ms, "answered");
        } else {
            tracing::info!(status, latency_ms, "answered");
        }
    }

    fn latency_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            let _within = self.span.enter();
            tracing::info!(latency_ms = self.latency_ms(), "the client went away before the answer");
        }
    }
}

/// The method, where it is one of RFC 9110 or PATCH; a client may send any token.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}

/// The trace id of a `traceparent` (W3C Trace Context, section 3.2), where it is well-formed.
fn trace_id(traceparent: &str) -> Option<&str> {
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    };
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let well_formed = hex(version, 2)
        && version != "ff"
        && hex(trace, 32)
        && hex(parent, 16)
        && hex(flags, 2)
        && trace.bytes().any(|b| b != b'0')
        && parent.bytes().any(|b| b != b'0');
    // A later version may say more; version 00 ends here.
    (well_formed && (version != "00" || parts.next().is_none())).then_some(trace)
}

#[cfg(test)]
mod tests {
    use kyc_core::ports::entropy::NoEntropy;
    use poem::EndpointExt;
    use poem::endpoint::make;

    use super::*;
    use crate::telemetry::tests::Lines;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(7);
            Ok(())
        }
    }

    fn endpoint() -> impl Endpoint<Output = Response> {
        let inner = make(|request: Request| async move {
            tracing::info!(count = 1, "within");
            match request.uri().path() {
                "/customers/gone" => std::future::pending().await,
                _ => StatusCode::NO_CONTENT,
            }
        });
        let routes =
            Routes::default().with("/customers/{id}", &Method::GET).with("/health/live", &Method::GET);
        RequestIds::new(inner.map_to_response(), Arc::new(routes), Arc::new(Sevens))
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let request = Request::builder().uri(uri.parse().unwrap());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).finish()
    }

    #[tokio::test]
    async fn each_line_of_a_request_names_it_and_no_line_shows_its_path() {
        let (lines, _logging) = Lines::capture();
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers = [("x-request-id", "r-1"), ("traceparent", trace)];
        let answer = endpoint().get_response(request("/customers/ada-lovelace?name=Ada", &headers)).await;
        assert_eq!(answer.headers()[X_REQUEST_ID], "r-1");
        let [within, answered] = &*lines.json() else { panic!("two lines") };
        for line in [within, answered] {
            assert_eq!(line["span"]["request_id"], "r-1");
            assert_eq!(line["span"]["route"], "/customers/{id}");
            assert_eq!(line["span"]["method"], "GET");
            assert_eq!(line["span"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        }
        assert_eq!((&answered["message"], &answered["status"]), (&"answered".into(), &204.into()));
        assert!(answered["latency_ms"].is_u64());
        assert!(!lines.text().to_lowercase().contains("ada"));
    }

    #[tokio::test]
    async fn a_request_whose_client_went_away_has_its_line_too() {
        let (lines, _logging) = Lines::capture();
        let endpoint = endpoint();
        let mut answer = Box::pin(endpoint.get_response(request("/customers/gone", &[])));
        assert!(futures_poll(&mut answer).is_pending());
        drop(answer);
        let [_, line] = &*lines.json() else { panic!("two lines") };
        assert_eq!(line["message"], "the client went away before the answer");
        assert_eq!(line["span"]["request_id"], "07".repeat(16));
    }

    #[tokio::test]
    async fn probes_are_not_logged_by_default() {
        let (lines, _logging) = Lines::capture();
        endpoint().get_response(request("/health/live", &[])).await;
        assert!(!lines.text().contains("answered"));
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        std::pin::Pin::new(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn only_a_well_formed_traceparent_has_a_trace_id() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        const PARENT: &str = "00f067aa0ba902b7";
        assert_eq!(trace_id(&format!("00-{TRACE}-{PARENT}-01")), Some(TRACE));
        assert_eq!(trace_id(&format!("01-{TRACE}-{PARENT}-01-more")), Some(TRACE));
        for bad in [
            "",
            "00",
            &format!("00-{TRACE}-{PARENT}-01-more"),
            &format!("ff-{TRACE}-{PARENT}-01"),
            &format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            &format!("00-{}-{PARENT}-01", "0".repeat(32)),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{TRACE}-{PARENT}-1"),
            &format!("00-{TRACE}x-{PARENT}-01"),
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }
}
