//! A status and a verification in JSON.

use kyc_core::domain::discrepancy::{Discrepancy, Severity};
use kyc_core::domain::status::{Stage, StatusKind};
use kyc_core::domain::told::{Telling, Told, ToldCode};
use kyc_core::domain::verification::{Cause, Finding, StateKind, Verification};
use kyc_core::usecase::KycStatus;
use poem_openapi::Object;

use crate::api::values::{Time, Word};

/// Where a customer stands.
#[derive(Debug, Object)]
#[oai(rename = "KycStatus")]
pub(super) struct StatusBody {
    /// Your own id of the customer.
    customer_id: String,
    /// Where the customer stands.
    status: Word<StatusKind>,
    /// Who has to act, while pending.
    #[oai(nullable)]
    stage: Option<Word<Stage>>,
    /// Of a rejected customer: whether nothing that is sent later can change it. Else null.
    #[oai(rename = "final", nullable)]
    is_final: Option<bool>,
    /// The latest verification.
    verification_id: String,
    /// The provider that was asked.
    provider: String,
    /// When the provider took the submission.
    #[oai(nullable)]
    submitted_at: Option<Time>,
    /// When the status was decided; null while pending.
    #[oai(nullable)]
    decided_at: Option<Time>,
    /// When the decision runs out, where the policy has it run out.
    #[oai(nullable)]
    valid_until: Option<Time>,
    /// When the verification is taken up next; null once it has ended.
    #[oai(nullable)]
    next_attempt_at: Option<Time>,
    /// The page that the customer has to visit, where the provider asks for it. Give it to nobody else.
    #[oai(nullable)]
    link: Option<String>,
    /// What did not fit.
    discrepancies: Vec<DiscrepancyBody>,
    /// When anything last changed.
    updated_at: Time,
}

/// One thing that did not fit.
#[derive(Debug, Object)]
#[oai(rename = "Discrepancy")]
pub(super) struct DiscrepancyBody {
    /// What it is. `review.pending` says that somebody looks at the customer: a client application is told no more
    /// of what the customer must not hear.
    code: Word<ToldCode>,
    /// The field that it concerns, where there is one.
    #[oai(nullable)]
    field: Option<String>,
    /// How grave it is.
    severity: Word<Severity>,
    /// The provider that said so; null where it is a rule of this service.
    #[oai(nullable)]
    provider: Option<String>,
    /// The provider's own code.
    #[oai(nullable)]
    provider_code: Option<String>,
    /// What it means, in a sentence.
    message: String,
}

/// One verification.
#[derive(Debug, Object)]
#[oai(rename = "Verification")]
pub(in crate::api) struct VerificationBody {
    /// Its id, by which the provider knows it too.
    verification_id: String,
    /// The version of the customer's data that it is of.
    version: u32,
    /// The provider that is asked.
    provider: String,
    /// Why it was started.
    cause: Word<Cause>,
    /// Where it stands.
    state: Word<StateKind>,
    /// What was found, once it is completed.
    #[oai(nullable)]
    outcome: Option<Word<Finding>>,
    /// How many calls of the provider failed since the last one that went well.
    failures: u32,
    /// What did not fit.
    discrepancies: Vec<DiscrepancyBody>,
    /// When it was started.
    created_at: Time,
    /// When the provider took the submission.
    #[oai(nullable)]
    submitted_at: Option<Time>,
    /// When it ended.
    #[oai(nullable)]
    completed_at: Option<Time>,
    /// When it is taken up next; null once it has ended. It is later than `created_at` where the daily limit
    /// has it wait.
    #[oai(nullable)]
    next_attempt_at: Option<Time>,
}

/// The verifications of a customer.
#[derive(Debug, Object)]
#[oai(rename = "VerificationList")]
pub(super) struct VerificationListBody {
    /// All of them, newest first.
    pub(super) items: Vec<VerificationBody>,
}

impl StatusBody {
    pub(super) fn told(status: KycStatus, telling: Telling) -> Self {
        let kind = status.status.kind();
        Self {
            customer_id: status.customer_id.to_string(),
            status: Word(kind),
            stage: status.status.stage().map(Word),
            is_final: (kind == StatusKind::Rejected).then(|| status.status.is_final()),
            verification_id: status.verification.to_string(),
            provider: status.provider.to_string(),
            submitted_at: status.submitted_at.map(Time),
            decided_at: status.decided_at.map(Time),
            valid_until: status.status.valid_until().map(Time),
            next_attempt_at: status.next_attempt_at.map(Time),
            link: status.link.map(|link| link.expose().clone()),
            discrepancies: told(&status.discrepancies, telling),
            updated_at: Time(status.updated_at),
        }
    }
}

fn told(discrepancies: &[Discrepancy], telling: Telling) -> Vec<DiscrepancyBody> {
    telling.of(discrepancies).into_iter().map(Into::into).collect()
}

impl From<Told> for DiscrepancyBody {
    fn from(found: Told) -> Self {
        Self {
            code: Word(found.code),
            field: found.field.map(|field| field.as_str().to_owned()),
            severity: Word(found.severity),
            provider: found.provider.map(|provider| provider.to_string()),
            provider_code: found.provider_code.map(|code| code.as_str().to_owned()),
            message: found.message.to_owned(),
        }
    }
}

impl VerificationBody {
    pub(in crate::api) fn told(one: &Verification, telling: Telling) -> Self {
        Self {
            verification_id: one.id.to_string(),
            version: one.version,
            provider: one.provider.to_string(),
            cause: Word(one.cause),
            state: Word(one.state.kind()),
            outcome: one.state.finding().map(Word),
            failures: one.failures,
            discrepancies: told(&one.discrepancies, telling),
            created_at: Time(one.created_at),
            submitted_at: one.submitted_at.map(Time),
            completed_at: one.completed_at.map(Time),
            next_attempt_at: one.due_at.map(Time),
        }
    }
}
