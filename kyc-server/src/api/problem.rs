//! Problems: every answer of ours with a status of 400 or more is RFC 9457 problem+json, names all faults of
//! the input at once, and never repeats the input.

mod body;
mod catch;
mod kind;
mod refusal;

use std::borrow::Cow;

use jiff::civil::Date;
use kyc_core::domain::actor::RequestId;
use kyc_core::domain::fault::Faults;
use poem::http::HeaderValue;
use poem::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use poem::{IntoResponse, Response};
use poem_openapi::types::ToJSON;

pub use self::body::{FaultBody, ProblemBody, ProblemDescription};
pub use self::catch::Problems;
pub use self::kind::ProblemKind;
pub use self::refusal::{BODY, EVERY, ONCE, Refusal, Refuses};

/// The media type of a problem (RFC 9457, section 6).
pub const MEDIA_TYPE: &str = "application/problem+json";
const CONTENT_TYPE_VALUE: HeaderValue = HeaderValue::from_static("application/problem+json; charset=utf-8");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What Retry-After says where nothing better is known, in seconds.
const RETRY_AFTER_SECONDS: u64 = 5;

/// One problem, on its way to becoming an answer. It holds no value of the request, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    // Apart, because every `Result` is as large as its error.
    said: Box<Said>,
}

/// What is said of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    detail: Option<Cow<'static, str>>,
    faults: Faults,
    retry_after: Option<u64>,
    limit: Option<RateLimit>,
    allow: Option<HeaderValue>,
    erasable_from: Option<Date>,
}

/// A quota that was used up, as the header fields `RateLimit` and `RateLimit-Policy` say it
/// (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the policy: letters, digits and `-`.
    pub policy: &'static str,
    /// How many are allowed in a window.
    pub quota: u32,
    /// The window, in seconds.
    pub window_seconds: u64,
    /// How many are left.
    pub remaining: u32,
    /// After how many seconds more are allowed.
    pub reset_seconds: u64,
}

impl Problem {
    /// A problem about which nothing more is known than its kind.
    #[must_use]
    pub fn new(kind: ProblemKind) -> Self {
        Self { kind, said: Box::default() }
    }

    /// A 422 with every fault of the input.
    #[must_use]
    pub fn validation(faults: Faults) -> Self {
        let mut problem = Self::new(ProblemKind::ValidationFailed);
        problem.said.faults = faults;
        problem
    }

    /// A 429 whose Retry-After is the time until the quota allows more.
    #[must_use]
    pub fn limited(kind: ProblemKind, limit: RateLimit) -> Self {
        let mut problem = Self::new(kind).retry_after(limit.reset_seconds);
        problem.said.limit = Some(limit);
        problem
    }

    /// One sentence on this occurrence. It must not hold anything of the request but positions and counts.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.said.detail = Some(detail.into());
        self
    }

    /// After how many seconds another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.said.retry_after = Some(seconds);
        self
    }

    /// From which day on the customer may be erased.
    #[must_use]
    pub fn erasable_from(mut self, day: Date) -> Self {
        self.said.erasable_from = Some(day);
        self
    }

    /// The methods that exist at the path (RFC 9110, section 10.2.1).
    #[must_use]
    pub fn allow(mut self, methods: HeaderValue) -> Self {
        self.said.allow = Some(methods);
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The faults of the input, for a 422.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.said.faults
    }

    /// The answer, whose `instance` names the request.
    fn render(self, request: Option<&RequestId>) -> Response {
        let body = ProblemBody::of(&self, request).to_json_string();
        let mut response = Response::builder().status(self.kind.status()).body(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, CONTENT_TYPE_VALUE);
        if self.kind == ProblemKind::TooLarge {
            // The rest of the body is not read, so nothing can follow on this connection.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.kind == ProblemKind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"kyc\""));
        }
        if self.kind == ProblemKind::BadSignature {
            // RFC 9110, section 15.5.2, demands a challenge; each provider has a scheme of its own.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Signature realm=\"kyc-callbacks\""));
        }
        let retry_after = match self.kind {
            ProblemKind::Unavailable | ProblemKind::Overloaded => {
                self.said.retry_after.or(Some(RETRY_AFTER_SECONDS))
            }
            ProblemKind::BadRequest
            | ProblemKind::MalformedJson
            | ProblemKind::Unauthorized
            | ProblemKind::BadSignature
            | ProblemKind::Forbidden
            | ProblemKind::NotFound
            | ProblemKind::MethodNotAllowed
            | ProblemKind::NotAcceptable
            | ProblemKind::Timeout
            | ProblemKind::CustomerIdTaken
            | ProblemKind::Final
            | ProblemKind::IdempotencyInFlight
            | ProblemKind::Retention
            | ProblemKind::LegalHold
            | ProblemKind::ConsentRequired
            | ProblemKind::DocumentLimit
            | ProblemKind::Erased
            | ProblemKind::PreconditionFailed
            | ProblemKind::TooLarge
            | ProblemKind::UnsupportedMediaType
            | ProblemKind::ValidationFailed
            | ProblemKind::RateLimited
            | ProblemKind::VerificationLimit
            | ProblemKind::Internal => self.said.retry_after,
        };
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(limit) = &self.said.limit {
            limit.write(headers);
        }
        if let Some(methods) = &self.said.allow {
            headers.insert(ALLOW, methods.clone());
        }
        // Found again by `Problems`, which knows the request.
        response.set_data(self);
        response
    }
}

impl RateLimit {
    fn write(self, headers: &mut poem::http::HeaderMap) {
        let policy = format!("\"{}\";q={};w={}", self.policy, self.quota, self.window_seconds);
        let state = format!("\"{}\";r={};t={}", self.policy, self.remaining, self.reset_seconds);
        for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind)
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::validation(faults)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.render(None)
    }
}

impl From<Problem> for poem::Error {
    fn from(problem: Problem) -> Self {
        let mut error = Self::from_response(problem.clone().into_response());
        // poem drops the data of the answer in an error and keeps that of the error.
        error.set_data(problem);
        error
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn text(problem: Problem) -> String {
        problem.into_response().take_body().into_string().await.unwrap()
    }

    #[tokio::test]
    async fn a_validation_problem_names_every_fault() {
        let mut faults = Faults::new();
        faults.add("/email", "email.invalid", "an e-mail address is expected");
        faults.add("/name", "field.required", "this field is required");
        let problem = Problem::validation(faults);
        let body: serde_json::Value = serde_json::from_str(&text(problem).await).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "/problems/validation-failed",
                "title": "Fields or parameters are not valid",
                "status": 422,
                "errors": [
                    {"pointer": "/email", "code": "email.invalid", "detail": "an e-mail address is expected"},
                    {"pointer": "/name", "code": "field.required", "detail": "this field is required"},
                ]
            })
        );
    }

    #[test]
    fn a_401_challenges() {
        let response = Problem::new(ProblemKind::Unauthorized).into_response();
        assert_eq!(response.headers()["WWW-Authenticate"], "Bearer realm=\"kyc\"");
        assert_eq!(response.headers()["Content-Type"], "application/problem+json; charset=utf-8");
    }

    #[test]
    fn a_429_says_when_more_is_allowed() {
        let limit =
            RateLimit { policy: "day", quota: 5, window_seconds: 86_400, remaining: 0, reset_seconds: 3600 };
        let response = Problem::limited(ProblemKind::VerificationLimit, limit).into_response();
        let headers = response.headers();
        assert_eq!(headers["Retry-After"], "3600");
        assert_eq!(headers["RateLimit"], "\"day\";r=0;t=3600");
        assert_eq!(headers["RateLimit-Policy"], "\"day\";q=5;w=86400");
    }

    #[test]
    fn a_503_always_says_when_to_try_again() {
        for kind in [ProblemKind::Unavailable, ProblemKind::Overloaded] {
            assert_eq!(Problem::new(kind).into_response().headers()["Retry-After"], "5");
        }
        let problem = Problem::new(ProblemKind::Overloaded).retry_after(1);
        assert_eq!(problem.into_response().headers()["Retry-After"], "1");
    }
}
