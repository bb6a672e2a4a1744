//! How long a customer is kept: the end of the relationship, and legal holds. The erasure itself is a method of
//! the customer's own path, in `customers.rs`.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::permission::Permission;
use kyc_core::usecase::{EndRelationship, LegalHold, Relationship, SetLegalHold};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use self::body::{EndRelationshipBody, LegalHoldBody, RelationshipBody, SetLegalHoldBody};
use super::Tag;
use super::auth::Authenticated;
use super::body::JsonBody;
use super::customers::{example_id, path_id};
use super::once::{Once, Replayable};
use super::problem::{self, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// The endpoints of [`erasure`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ErasureApi;

/// An end of a relationship that was recorded.
#[derive(Debug, ApiResponse)]
pub(super) enum Ended {
    /// What is recorded now.
    #[oai(status = 200)]
    Ok(Json<RelationshipBody>),
}

/// A hold that was set.
#[derive(Debug, ApiResponse)]
pub(super) enum Held {
    /// The hold that is there now.
    #[oai(status = 200)]
    Ok(Json<LegalHoldBody>),
}

impl From<&Relationship> for Ended {
    fn from(relationship: &Relationship) -> Self {
        Self::Ok(Json(relationship.into()))
    }
}

impl From<&LegalHold> for Held {
    fn from(hold: &LegalHold) -> Self {
        Self::Ok(Json(hold.into()))
    }
}

/// A hold that was lifted.
#[derive(Debug, ApiResponse)]
enum Lifted {
    /// The customer is under no legal hold.
    #[oai(status = 204)]
    Lifted,
}

/// What the end of a relationship and a legal hold are refused with.
#[derive(Debug)]
struct RecordRefuses;
impl Refuses for RecordRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, problem::BODY, &[ProblemKind::NotFound, ProblemKind::Erased], problem::ONCE];
}

/// What the lifting of a hold is refused with.
#[derive(Debug)]
struct LiftRefuses;
impl Refuses for LiftRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, &[ProblemKind::NotFound, ProblemKind::Erased]];
}

#[OpenApi(tag = "Tag::Erasure")]
impl ErasureApi {
    /// Record the end of a relationship
    ///
    /// From the later of this day and the last decision on, the time runs for which the data has to be kept:
    /// five years where nothing else is set (Directive (EU) 2015/849, article 40). When it is over a job erases
    /// the customer. `null` says that the relationship goes on after all.
    #[oai(path = "/customers/:id/relationship", method = "put", operation_id = "endRelationship")]
    async fn end_relationship(
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
        body: JsonBody<EndRelationshipBody>,
    ) -> Result<Replayable<Ended>, Refusal<RecordRefuses>> {
        let id = path_id(&actor.0, Permission::WriteCustomers, &id)?;
        let (once, ended_on, faults) = once.with(body);
        let (actor, request) = (&actor.0, EndRelationship { ended_on, faults });
        let done = once.run(kyc, actor, Permission::WriteCustomers, |kyc| async move {
            kyc.end_relationship(actor, &id, request).await
        });
        Ok(done.await?)
    }

    /// Put a customer under a legal hold
    ///
    /// Until it is lifted nothing erases the customer: no request, no override, no job. The reason is sealed, as
    /// all personal data is. It takes the place of a hold that is there.
    #[oai(path = "/customers/:id/legal-hold", method = "put", operation_id = "setLegalHold")]
    async fn set_legal_hold(
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
        body: JsonBody<SetLegalHoldBody>,
    ) -> Result<Replayable<Held>, Refusal<RecordRefuses>> {
        let id = path_id(&actor.0, Permission::HoldCustomers, &id)?;
        let (once, reason, faults) = once.with(body);
        let (actor, request) = (&actor.0, SetLegalHold { reason, faults });
        let done = once.run(kyc, actor, Permission::HoldCustomers, |kyc| async move {
            kyc.set_legal_hold(actor, &id, request).await
        });
        Ok(done.await?)
    }

    /// Lift a legal hold
    ///
    /// Where there is none nothing happens.
    #[oai(path = "/customers/:id/legal-hold", method = "delete", operation_id = "liftLegalHold")]
    async fn lift_legal_hold(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// Your own id of the customer.
        #[oai(example = "example_id")]
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Lifted, Refusal<LiftRefuses>> {
        let id = path_id(&actor.0, Permission::HoldCustomers, &id)?;
        kyc.lift_legal_hold(&actor.0, &id).await?;
        Ok(Lifted::Lifted)
    }
}
