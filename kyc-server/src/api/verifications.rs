//! `/customers/{id}/kyc-status` and `/customers/{id}/verifications`: where a customer stands, what was tried,
//! and to try again.

pub(super) mod body;

use kyc_core::Kyc;
use kyc_core::domain::permission::Permission;
use kyc_core::domain::told::Telling;
use kyc_core::domain::verification::Verification;
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use self::body::{StatusBody, VerificationBody, VerificationListBody};
use super::Tag;
use super::auth::Authenticated;
use super::customers::{ReadRefuses, example_id, path_id};
use super::once::{Once, Replayable};
use super::problem::{self, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// The endpoints of [`verifications`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct VerificationsApi;

/// A verification that was queued.
#[derive(Debug, ApiResponse)]
pub(super) enum Queued {
    /// The verification is queued.
    #[oai(status = 202)]
    Accepted(Json<VerificationBody>),
}

/// What `POST /customers/{id}/verifications` refuses with.
#[derive(Debug)]
struct RequestRefuses;
impl Refuses for RequestRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[
        problem::EVERY,
        &[ProblemKind::NotFound, ProblemKind::Erased, ProblemKind::Final, ProblemKind::VerificationLimit],
        problem::ONCE,
    ];
}

impl From<&Verification> for Queued {
    fn from(queued: &Verification) -> Self {
        // One that was just queued has found nothing yet.
        Self::Accepted(Json(VerificationBody::told(queued, Telling::WithoutTippingOff)))
    }
}

#[OpenApi(tag = "Tag::Verifications")]
impl VerificationsApi {
    /// Read a customer's status
    ///
    /// Where the customer stands, with the latest verification and what did not fit. It shows no personal
    /// data.
    #[oai(path = "/customers/:id/kyc-status", method = "get", operation_id = "readKycStatus")]
    async fn status(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Json<StatusBody>, Refusal<ReadRefuses>> {
        let status = kyc.status(&actor.0, &path_id(&actor.0, Permission::ReadStatus, &id)?).await?;
        Ok(Json(StatusBody::told(status, actor.0.telling())))
    }

    /// List a customer's verifications
    ///
    /// All attempts, newest first.
    #[oai(path = "/customers/:id/verifications", method = "get", operation_id = "listVerifications")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Json<VerificationListBody>, Refusal<ReadRefuses>> {
        let all = kyc.verifications(&actor.0, &path_id(&actor.0, Permission::ReadStatus, &id)?).await?;
        let told = |one| VerificationBody::told(one, actor.0.telling());
        Ok(Json(VerificationListBody { items: all.iter().map(told).collect() }))
    }

    /// Ask for another verification
    ///
    /// Verifies the present data once more, in place of an attempt that is under way. Takes no body.
    #[oai(path = "/customers/:id/verifications", method = "post", operation_id = "requestVerification")]
    async fn request(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        /// A name of your own for this request, such as a UUID, quoted or bare. When the request is sent again
        /// under it within 24 hours, the first answer is repeated, and nothing is done twice.
        #[oai(name = "Idempotency-Key")]
        once: Once,
        _parameters: NoParameters,
    ) -> Result<Replayable<Queued>, Refusal<RequestRefuses>> {
        let actor = &actor.0;
        let id = path_id(actor, Permission::RequestVerification, &id)?;
        let done = once.run(kyc, actor, Permission::RequestVerification, |kyc| async move {
            kyc.request_verification(actor, &id).await
        });
        Ok(done.await?)
    }
}
