//! A callback as it came in: the raw body, whatever it says that it is, and all headers.

use std::sync::Arc;

use kyc_core::Secret;
use kyc_core::ports::Clock;
use kyc_core::ports::provider::Callback;
use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::body::read_bounded;
use crate::api::client::Excused;
use crate::api::problem::{Problem, ProblemKind};

/// A callback, before anybody knows whether it is genuine. It has no `Debug`: nothing of it is for a log.
pub(super) struct CallbackBody {
    pub(super) callback: Callback,
    excused: Option<Excused>,
}

impl CallbackBody {
    /// Lets the request off the limit of its address. A provider sends many callbacks from few addresses, and one
    /// that is genuine is no guess.
    pub(super) fn excuse(&self) {
        self.excused.iter().for_each(Excused::excuse);
    }
}

impl<'a> ApiExtractor<'a> for CallbackBody {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchema { format: Some("binary"), ..MetaSchema::new("string") };
        let content =
            vec![MetaMediaType { content_type: "*/*", schema: MetaSchemaRef::Inline(Box::new(schema)) }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let Some(clock) = request.data::<Arc<dyn Clock>>() else {
            tracing::error!("a callback came without a clock: the wiring is incomplete");
            return Err(Problem::new(ProblemKind::Internal).into());
        };
        let mut bytes = read_bounded(request, body.take()?).await?;
        // A value that is no text is still there, so that two of a name stay two.
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = request.headers().iter();
        let callback = Callback {
            headers: headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
            body: Secret::new(std::mem::take(&mut *bytes)),
            received_at: clock.now(),
        };
        Ok(Self { callback, excused: request.data::<Excused>().cloned() })
    }
}
