//! The end of a relationship and a legal hold in JSON.

use kyc_core::Secret;
use kyc_core::domain::customer::Patch;
use kyc_core::usecase::{LegalHold, Relationship};
use poem_openapi::Object;
use poem_openapi::types::Example;

use crate::api::body::{Fields, FromFields};
use crate::api::values::Day;

/// When a relationship ended.
#[derive(Debug, Object)]
#[oai(rename = "RelationshipEnd", example)]
pub(super) struct EndRelationshipBody {
    /// The day: from 1900 on, at most a year ahead. `null` says that the relationship goes on.
    #[oai(nullable)]
    ended_on: Option<Day>,
}

/// For how long a customer is kept.
#[derive(Debug, Object)]
#[oai(rename = "Relationship")]
pub(in crate::api) struct RelationshipBody {
    /// Your own id of the customer.
    customer_id: String,
    /// When the relationship ended, where it has.
    #[oai(nullable)]
    ended_on: Option<Day>,
    /// From which day on the customer may be erased without overriding the retention.
    erasable_from: Day,
}

/// A legal hold to set.
#[derive(Debug, Object)]
#[oai(rename = "NewLegalHold", example)]
pub(super) struct SetLegalHoldBody {
    /// Why the customer must not be erased: 1 to 500 characters on one line.
    #[oai(validator(max_length = 500))]
    reason: String,
}

/// A legal hold.
#[derive(Debug, Object)]
#[oai(rename = "LegalHold")]
pub(in crate::api) struct LegalHoldBody {
    /// Your own id of the customer.
    customer_id: String,
    /// Why the customer must not be erased.
    reason: String,
}

impl FromFields for EndRelationshipBody {
    type Value = Patch<Secret<String>>;

    fn from_fields(fields: &mut Fields<'_>) -> Self::Value {
        fields.patch_text("ended_on")
    }
}

impl FromFields for SetLegalHoldBody {
    type Value = Option<Secret<String>>;

    fn from_fields(fields: &mut Fields<'_>) -> Self::Value {
        fields.text("reason")
    }
}

impl Example for EndRelationshipBody {
    fn example() -> Self {
        Self { ended_on: Some(Day(jiff::civil::date(2026, 1, 31))) }
    }
}

impl Example for SetLegalHoldBody {
    fn example() -> Self {
        Self { reason: "Proceedings 7 of 2026 before the regional court".to_owned() }
    }
}

impl From<&LegalHold> for LegalHoldBody {
    fn from(hold: &LegalHold) -> Self {
        Self { customer_id: hold.customer_id.to_string(), reason: hold.reason.expose().to_owned() }
    }
}

impl From<&Relationship> for RelationshipBody {
    fn from(relationship: &Relationship) -> Self {
        Self {
            customer_id: relationship.customer_id.to_string(),
            ended_on: relationship.ended_on.map(Day),
            erasable_from: Day(relationship.erasable_from),
        }
    }
}
