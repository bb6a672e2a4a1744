//! The JSON bodies of requests: bounded, strict, and read so that all faults are found at once.
//!
//! poem-openapi's own payload takes bodies of any size, the last of two equal names, and reports the first
//! fault only, with the input in it. A body of ours has a type that derives `Object`, for the schema, and
//! reads itself by [`FromFields`]:
//!
//! ```
//! use kyc_core::Secret;
//! use kyc_server::api::body::{Fields, FromFields};
//! use poem_openapi::Object;
//!
//! /// A person to be greeted.
//! #[derive(Object)]
//! struct GreetBody {
//!     /// The person's name.
//!     name: String,
//! }
//!
//! impl FromFields for GreetBody {
//!     type Value = Option<Secret<String>>;
//!
//!     fn from_fields(fields: &mut Fields<'_>) -> Option<Secret<String>> {
//!         fields.text("name")
//!     }
//! }
//! ```

mod fields;
mod json;

use std::fmt;
use std::io;

use kyc_core::domain::fault::Faults;
use poem::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use poem::{Body, Request, RequestBody, Result};
use poem_openapi::payload::{ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::{Zeroize, Zeroizing};

pub(in crate::api) use self::fields::is_plain_name;
pub use self::fields::{Fields, FromFields};
pub use self::json::{Json, MAX_DEPTH, Malformed};
use crate::api::problem::{Problem, ProblemKind};
use crate::api::{once, query};

/// The largest JSON body, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// How much is read at a time.
const CHUNK: usize = 8 * 1024;

/// A JSON body of the schema of `T`, read. It may have faults: those of its types and of unknown fields and
/// parameters, so that the endpoint can answer them together with what the core finds.
pub struct JsonBody<T: FromFields> {
    /// What was read. What has a fault is absent.
    pub value: T::Value,
    /// The faults so far.
    pub faults: Faults,
    /// The body as it came, where the request has an idempotency key, which is compared by it.
    pub(super) raw: Option<Zeroizing<Vec<u8>>>,
}

impl<T: FromFields> fmt::Debug for JsonBody<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonBody").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl<T: FromFields> JsonBody<T> {
    /// What was read, where nothing was wrong.
    ///
    /// # Errors
    /// The 422 with every fault.
    pub fn valid(self) -> Result<T::Value, Problem> {
        if self.faults.is_empty() { Ok(self.value) } else { Err(Problem::validation(self.faults)) }
    }

    async fn read(request: &Request, body: Body) -> Result<Self, Problem> {
        check_media_type(request)?;
        let bytes = read_bounded(request, body).await?;
        if bytes.is_empty() {
            return Err(Problem::new(ProblemKind::MalformedJson).detail("the body is empty"));
        }
        let json = Json::parse(&bytes)
            .map_err(|malformed| Problem::new(ProblemKind::MalformedJson).detail(malformed.to_string()))?;
        let raw = request.headers().contains_key(once::HEADER).then_some(bytes);
        let mut faults = Faults::new();
        let Json::Object(members) = json else {
            faults.add("", "field.type", "an object is expected");
            return Err(Problem::validation(faults));
        };
        let value = Fields::read::<T>(members, String::new(), &mut faults);
        // No path that takes a body takes parameters.
        query::refuse_unknown(request, &[], &mut faults);
        Ok(Self { value, faults, raw })
    }
}

fn check_media_type(request: &Request) -> Result<(), Problem> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = header(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    let encoding = header(CONTENT_ENCODING).unwrap_or("identity");
    if media_type.trim().eq_ignore_ascii_case("application/json") && encoding.eq_ignore_ascii_case("identity")
    {
        Ok(())
    } else {
        Err(Problem::new(ProblemKind::UnsupportedMediaType).detail("application/json is expected"))
    }
}

/// The whole body, however it is framed, in a buffer that is overwritten when it goes.
pub(super) async fn read_bounded(request: &Request, body: Body) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BYTES as u64) {
        return Err(Problem::new(ProblemKind::TooLarge));
    }
    match read_to_limit(body.into_async_read()).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Problem::new(ProblemKind::TooLarge)),
        Err(_) => Err(Problem::new(ProblemKind::BadRequest).detail("the body could not be read to its end")),
    }
}

async fn read_to_limit(mut reader: impl AsyncRead + Unpin) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(CHUNK));
    let mut chunk = Zeroizing::new([0; CHUNK]);
    loop {
        let read = reader.read(&mut *chunk).await?;
        if read == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len() + read > MAX_BYTES {
            return Ok(None);
        }
        if bytes.len() + read > bytes.capacity() {
            // A vector that grows by itself leaves a copy of its bytes behind.
            let mut larger = Vec::with_capacity(2 * bytes.capacity());
            larger.extend_from_slice(&bytes);
            std::mem::replace(&mut *bytes, larger).zeroize();
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

impl<T: FromFields + Type> Payload for JsonBody<T>
where
    T::Value: Send,
{
    const CONTENT_TYPE: &'static str = "application/json";

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: FromFields + Type> ParsePayload for JsonBody<T>
where
    T::Value: Send,
{
    const IS_REQUIRED: bool = true;

    async fn from_request(request: &Request, body: &mut RequestBody) -> Result<Self> {
        Ok(Self::read(request, body.take()?).await?)
    }
}

impl<'a, T: FromFields + Type> ApiExtractor<'a> for JsonBody<T>
where
    T::Value: Send,
{
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Self as Payload>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content_type = <Self as Payload>::CONTENT_TYPE;
        let content = vec![MetaMediaType { content_type, schema: <Self as Payload>::schema_ref() }];
        Some(MetaRequest { description: None, content, required: <Self as ParsePayload>::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        <Self as ParsePayload>::from_request(request, body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| request.header(*name, *value))
            .finish()
    }

    #[test]
    fn only_plain_json_is_taken() {
        for good in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
            assert!(check_media_type(&request(&[("content-type", good)])).is_ok(), "{good}");
        }
        for bad in ["text/plain", "application/jsonx", "application/problem+json", ""] {
            let problem = check_media_type(&request(&[("content-type", bad)])).unwrap_err();
            assert_eq!(problem.kind(), ProblemKind::UnsupportedMediaType, "{bad}");
        }
        assert!(check_media_type(&request(&[])).is_err());
        let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
        assert!(check_media_type(&request(&packed)).is_err());
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit_and_no_further() {
        let full = vec![b'x'; MAX_BYTES];
        assert_eq!(**read_to_limit(&*full).await.unwrap().as_ref().unwrap(), full);
        let over = vec![b'x'; MAX_BYTES + 1];
        assert!(read_to_limit(&*over).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_unread() {
        let length = (MAX_BYTES + 1).to_string();
        let refused = read_bounded(&request(&[("content-length", &length)]), Body::empty()).await;
        assert_eq!(refused.unwrap_err().kind(), ProblemKind::TooLarge);
    }
}
