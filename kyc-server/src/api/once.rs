//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): what is asked twice is done once.
//!
//! One place for every endpoint that writes. Such an endpoint
//!
//! * takes a [`Once`] as its parameter `Idempotency-Key`, and its body, if any, through [`Once::with`];
//! * does its work inside [`Once::run`], and answers what that gives;
//! * lists [`problem::ONCE`](super::problem::ONCE) among what it refuses with;
//! * has an arm in [`render`], by which the recorded answer is made from the same view as the first one.

use std::borrow::Cow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use kyc_core::domain::actor::Actor;
use kyc_core::domain::fault::{Faults, Invalid};
use kyc_core::domain::idempotency::IdempotencyKey;
use kyc_core::domain::permission::Permission;
use kyc_core::usecase::{Answer, Asked, PortFailure, Rendered};
use kyc_core::{Kyc, Secret};
use poem::http::header::HeaderName;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode};
use poem::{IntoResponse, Request, RequestBody, Response, Result};
use poem_openapi::registry::{MetaHeader, MetaParamIn, MetaResponses, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};
use zeroize::Zeroizing;

use super::api_keys::Created;
use super::body::{FromFields, JsonBody};
use super::customers::{Changed, Registered};
use super::documents::Added;
use super::erasure::{Ended, Held};
use super::problem::Problem;
use super::verifications::Queued;

/// The header that names a request.
pub(super) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Where the fault of the header is told to be.
pub(super) const POINTER: &str = "Idempotency-Key";
/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a recorded answer is made of: that of each use case in the form of its one endpoint.
fn render(answer: Answer<'_>) -> Rendered {
    match answer {
        Answer::Registered(view) => rendered(Registered::from(view)),
        Answer::Updated(updated) => rendered(Changed::from(updated)),
        Answer::VerificationQueued(queued) => rendered(Queued::from(queued)),
        Answer::RelationshipRecorded(relationship) => rendered(Ended::from(relationship)),
        Answer::DocumentAdded(added) => rendered(Added::from(added)),
        Answer::LegalHoldSet(hold) => rendered(Held::from(hold)),
        Answer::ApiKeyCreated(key) => rendered(Created::from(key)),
    }
}

/// The key of a request that may come again; nothing where the caller sent none.
pub(super) struct Once(Option<Box<Given>>);

struct Given {
    key: Result<IdempotencyKey, Invalid>,
    method: Method,
    path: String,
    body: Zeroizing<Vec<u8>>,
    /// Whether a fault of the key is among those of the body already.
    is_told: bool,
}

impl Once {
    /// Takes the body along, of which the key is. A fault of the key is then told with those of the body.
    pub(super) fn with<T: FromFields>(mut self, body: JsonBody<T>) -> (Self, T::Value, Faults) {
        let JsonBody { value, mut faults, raw } = body;
        if let Some(given) = &mut self.0 {
            given.body = raw.unwrap_or_default();
            given.is_told = true;
            if let Err(Invalid { code, detail }) = given.key {
                faults.add(POINTER, code, detail);
            }
        }
        (self, value, faults)
    }

    /// Takes along what stands for a body that is no JSON, where there is a key.
    pub(super) fn about(mut self, identity: impl FnOnce() -> Vec<u8>) -> Self {
        if let Some(given) = &mut self.0 {
            given.body = Zeroizing::new(identity());
        }
        self
    }

    /// Does the work, or repeats the answer that the same request had. `permission` is that of the work, which
    /// is asked for before anything is looked up.
    ///
    /// # Errors
    /// What the work refuses with; a 422 where the key is none, or was used with another body; a 409 where the
    /// same request is in flight.
    pub(super) async fn run<'k, V, E, T, F>(
        self,
        kyc: &'k Kyc,
        actor: &Actor,
        permission: Permission,
        work: impl FnOnce(Cow<'k, Kyc>) -> F,
    ) -> Result<Replayable<T>, Problem>
    where
        F: Future<Output = Result<V, E>>,
        E: Into<Problem>,
        T: for<'v> From<&'v V>,
    {
        let Some(given) = self.0 else { return done(work(Cow::Borrowed(kyc)).await) };
        let Given { key, method, path, body, is_told } = *given;
        let key = match key {
            Ok(key) => key,
            // With a fault in its input the work refuses, and tells all of them at once.
            Err(_) if is_told => return done(work(Cow::Borrowed(kyc)).await),
            Err(Invalid { code, detail }) => {
                actor.require(permission)?;
                let mut faults = Faults::new();
                faults.add(POINTER, code, detail);
                return Err(faults.into());
            }
        };
        let asked = Asked { key: &key, method: method.as_str(), path: &path, body: &body };
        let kyc = kyc.under_key(actor, asked, render);
        drop(body);
        if let Some(answer) = kyc.recall(actor, permission).await? {
            return Ok(Replayable::Replay(answer));
        }
        let outcome = done(work(Cow::Owned(kyc.clone())).await);
        // A refusal may be the doing of the same request, which was carried out in the meantime.
        if outcome.is_err() && kyc.is_recorded().await == Ok(true) {
            return Err(PortFailure::InFlight.into());
        }
        outcome
    }
}

fn done<V, E: Into<Problem>, T: for<'v> From<&'v V>>(
    outcome: Result<V, E>,
) -> Result<Replayable<T>, Problem> {
    outcome.map(|view| Replayable::Done(T::from(&view))).map_err(Into::into)
}

/// The one key of a request; none where it has none.
fn key(headers: &HeaderMap) -> Option<Result<IdempotencyKey, Invalid>> {
    let mut values = headers.get_all(HEADER).iter();
    let first = values.next()?;
    // What can't be read as text is no key, and neither are two.
    let one = if values.next().is_none() { first.to_str().unwrap_or_default() } else { "" };
    Some(IdempotencyKey::parse(one))
}

impl<'a> ApiExtractor<'a> for Once {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];

    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let mut schema = MetaSchema::new("string");
        schema.example = Some("8e03978e-40d5-43dd-bc93-6894a57f9324".into());
        Some(MetaSchemaRef::Inline(Box::new(schema)))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> Result<Self> {
        let given = key(request.headers()).map(|key| {
            let path = request.original_uri().path().to_owned();
            let method = request.method().clone();
            Box::new(Given { key, method, path, body: Zeroizing::default(), is_told: false })
        });
        Ok(Self(given))
    }
}

/// An answer that was made now, or one that was given before and is given again as it was.
pub(super) enum Replayable<T> {
    /// Made now.
    Done(T),
    /// Given before.
    Replay(Rendered),
}

impl<T: IntoResponse> IntoResponse for Replayable<T> {
    fn into_response(self) -> Response {
        let Rendered { status, headers, body } = match self {
            Self::Done(answer) => return answer.into_response(),
            Self::Replay(rendered) => rendered,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let mut response = Response::builder().status(status).body(body.expose().clone());
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

impl<T: ApiResponse> ApiResponse for Replayable<T> {
    fn meta() -> MetaResponses {
        let mut meta = T::meta();
        for response in &mut meta.responses {
            response.headers.push(MetaHeader {
                name: "Idempotency-Replayed".to_owned(),
                description: Some("`true` where this answer was given before, and is repeated.".to_owned()),
                required: false,
                deprecated: false,
                schema: bool::schema_ref(),
            });
        }
        meta
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// An answer as it goes over the wire, without what is the same for all.
fn rendered(answer: impl IntoResponse) -> Rendered {
    let mut response = answer.into_response();
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = response.headers().iter().filter_map(text).collect();
    let status = response.status().as_u16();
    // The body of a typed answer is whole, so that reading it never waits.
    let mut reading = pin!(response.take_body().into_vec());
    let read = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(body)) = read else {
        tracing::error!("the body of an answer could not be read to record it");
        return Rendered { status, headers, body: Secret::default() };
    };
    Rendered { status, headers, body: Secret::new(body) }
}

#[cfg(test)]
mod tests {
    use poem_openapi::payload::Json;

    use super::*;

    #[test]
    fn a_header_that_stands_twice_or_is_no_text_is_no_key() {
        let mut headers = HeaderMap::new();
        assert!(key(&headers).is_none());
        headers.append(HEADER, HeaderValue::from_static("a"));
        assert_eq!(key(&headers).unwrap().unwrap().as_str(), "a");
        headers.append(HEADER, HeaderValue::from_static("a"));
        assert!(key(&headers).unwrap().is_err());
        headers.insert(HEADER, HeaderValue::from_bytes(b"\xe4").unwrap());
        assert!(key(&headers).unwrap().is_err());
    }

    #[tokio::test]
    async fn a_replay_is_what_was_rendered() {
        let answer = || Json("Ada".to_owned()).into_response();
        let Rendered { status, headers, body } = rendered(answer());
        assert_eq!((status, body.expose().as_slice()), (200, &b"\"Ada\""[..]));
        let mut replay = Replayable::<Response>::Replay(Rendered { status, headers, body }).into_response();
        assert_eq!(replay.headers_mut().remove(REPLAYED).unwrap(), "true");
        let mut first = Replayable::Done(answer()).into_response();
        assert_eq!((first.status(), first.headers()), (replay.status(), replay.headers()));
        let whole = first.take_body().into_vec().await.unwrap();
        assert_eq!(whole, replay.take_body().into_vec().await.unwrap());
    }
}
