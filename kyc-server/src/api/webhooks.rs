//! `/webhooks/{provider}`: what identity providers tell us by themselves.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::ids::ProviderName;
use kyc_core::usecase::{CallbackRefused, Received};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use tracing::{debug, info};

use self::body::CallbackBody;
use super::Tag;
use super::problem::{ProblemKind, Refusal, Refuses};

/// The endpoint of [`webhooks`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhooksApi;

/// The callback was taken. What it led to is not told.
#[derive(Debug, Object)]
#[oai(rename = "Receipt")]
struct ReceiptBody {
    /// Always true.
    received: bool,
}

/// What a callback is refused with.
#[derive(Debug)]
struct CallbackRefuses;
impl Refuses for CallbackRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[&[
        ProblemKind::BadRequest,
        ProblemKind::BadSignature,
        ProblemKind::NotFound,
        ProblemKind::Timeout,
        ProblemKind::TooLarge,
        ProblemKind::ValidationFailed,
        ProblemKind::RateLimited,
        ProblemKind::Internal,
        ProblemKind::Unavailable,
        ProblemKind::Overloaded,
    ]];
}

fn example_provider() -> String {
    "acme".to_owned()
}

#[OpenApi(tag = "Tag::Service")]
impl WebhooksApi {
    /// Receive a provider's callback
    ///
    /// For identity providers, and for nobody else: give the provider this address, and this service the secret with
    /// which the provider signs. The body is the provider's own, of any type and at most 256 KiB.
    ///
    /// A signature that is missing, wrong or not of this time is 401, and which of them is not told. Everything
    /// genuine is answered alike, also what comes twice, too late or too early: a provider need not send it again.
    /// What could not be kept is 503, and the provider should.
    #[oai(path = "/webhooks/:provider", method = "post", operation_id = "receiveCallback")]
    async fn receive(
        &self,
        Data(kyc): Data<&Kyc>,
        /// The provider's name in the settings.
        #[oai(example = "example_provider")]
        provider: Path<String>,
        body: CallbackBody,
    ) -> Result<Json<ReceiptBody>, Refusal<CallbackRefuses>> {
        let provider = ProviderName::parse(&provider).map_err(|_| CallbackRefused::UnknownProvider)?;
        match kyc.receive_callback(&provider, &body.callback).await {
            Ok(received) => {
                body.excuse();
                told(&provider, received);
                Ok(Json(ReceiptBody { received: true }))
            }
            Err(refused) => {
                // Names of our own settings and words of ours; nothing of the callback.
                info!(%provider, reason = %refused, "a callback was refused");
                match refused {
                    CallbackRefused::Unreadable | CallbackRefused::Failed(_) => body.excuse(),
                    CallbackRefused::NotGenuine | CallbackRefused::UnknownProvider => {}
                }
                Err(refused.into())
            }
        }
    }
}

fn told(provider: &ProviderName, received: Received) {
    debug!(%provider, ?received, "a callback was received");
}
