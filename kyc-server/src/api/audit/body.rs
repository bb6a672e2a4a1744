//! An audit event in JSON.

use kyc_core::domain::audit::Action;
use kyc_core::domain::status::StatusWord;
use kyc_core::usecase::{AuditPage, AuditView};
use poem_openapi::Object;

use crate::api::values::{Time, Word};

/// A page of audit events.
#[derive(Debug, Object)]
#[oai(rename = "AuditPage")]
pub(super) struct AuditPageBody {
    /// The events, newest first.
    items: Vec<AuditEventBody>,
    /// What to ask the next page with; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
}

/// An audit event. It holds names of fields and codes, never personal data.
#[derive(Debug, Object)]
#[oai(rename = "AuditEvent")]
pub(in crate::api) struct AuditEventBody {
    /// Its place in the chain: 1 for the first event, and then without a gap.
    sequence: u64,
    /// When.
    at: Time,
    /// Who, as `role:subject`, and `#` with the id of the key where there is one.
    actor: String,
    /// What.
    action: Word<Action>,
    /// On whom; null where it is no single customer.
    #[oai(nullable)]
    customer_id: Option<String>,
    /// The verification that it concerns.
    #[oai(nullable)]
    verification_id: Option<String>,
    /// The provider that it concerns.
    #[oai(nullable)]
    provider: Option<String>,
    /// What else it concerns, as `kind:id`.
    #[oai(nullable)]
    target: Option<String>,
    /// Why, as codes with spaces between.
    #[oai(nullable)]
    reason: Option<String>,
    /// The status before.
    #[oai(nullable)]
    from: Option<Word<StatusWord>>,
    /// The status after.
    #[oai(nullable)]
    to: Option<Word<StatusWord>>,
    /// The fields that changed, were shown, or went to the provider.
    fields: Vec<String>,
    /// The request within which it happened.
    #[oai(nullable)]
    request_id: Option<String>,
    /// Its hash, which covers the event and the one before: hexadecimal.
    hash: String,
}

impl From<AuditPage> for AuditPageBody {
    fn from(page: AuditPage) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|sequence| sequence.to_string()),
        }
    }
}

impl From<AuditView> for AuditEventBody {
    fn from(view: AuditView) -> Self {
        let AuditView { chained, customer_id } = view;
        let event = chained.event;
        Self {
            sequence: chained.sequence,
            at: Time(event.at),
            actor: event.actor,
            action: Word(event.action),
            customer_id: customer_id.map(|id| id.to_string()),
            verification_id: event.verification.map(|id| id.to_string()),
            provider: event.provider.map(|provider| provider.to_string()),
            target: event.target,
            reason: event.reason,
            from: event.from.map(Word),
            to: event.to.map(Word),
            fields: event.fields.iter().map(|field| field.as_str().to_owned()).collect(),
            request_id: event.request_id,
            hash: data_encoding::HEXLOWER.encode(&chained.hash.to_bytes()),
        }
    }
}
