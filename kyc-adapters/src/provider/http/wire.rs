//! The bodies of the contract (`openapi/provider.json`), for both sides of it.
//!
//! What we send is read strictly, so that a provider notices a field that it does not know; what we receive
//! is read so that a provider may add fields. The words of an answer stay text here, since a word
//! that we don't know is an answer too.

use std::borrow::Cow;

use jiff::civil::Date;
use kyc_core::domain::address::Address;
use kyc_core::domain::customer::Customer;
use kyc_core::domain::document::IdentityDocument;
use kyc_core::domain::field::Field;
use kyc_core::ports::provider::Submission;
use serde::{Deserialize, Serialize};

/// The words of [`VerificationState::state`].
pub mod state {
    /// The provider is at work.
    pub const PROCESSING: &str = "processing";
    /// The customer has to follow the link.
    pub const AWAITING_CUSTOMER: &str = "awaiting_customer";
    /// There is an outcome.
    pub const DONE: &str = "done";
}

/// The body of `POST /v1/verifications`.
///
/// It holds nothing that differs between two tries of one attempt, such as a time, since the provider
/// compares repeats with it. The texts are borrowed from the customer, so that no copies stay behind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationRequest<'a> {
    /// The verification, a UUID; the idempotency key.
    pub verification_id: Cow<'a, str>,
    /// Our id of the person, a UUID that names nobody; the same in all verifications of the person.
    pub subject_id: Cow<'a, str>,
    /// The data to check.
    pub applicant: Applicant<'a>,
}

/// The person to check.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicant<'a> {
    /// The whole name, in any script.
    pub name: Cow<'a, str>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Cow<'a, str>>,
    /// The phone number, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<Cow<'a, str>>,
    /// The date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Date,
    /// The postal address.
    pub address: WireAddress<'a>,
    /// The identity document.
    pub identity_document: WireDocument<'a>,
    /// The nationalities, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationalities: Vec<Cow<'a, str>>,
    /// The place of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place_of_birth: Option<Cow<'a, str>>,
    /// The gender, as the document states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Cow<'a, str>>,
}

/// A postal address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireAddress<'a> {
    /// The first line.
    pub line1: Cow<'a, str>,
    /// The second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<Cow<'a, str>>,
    /// The city.
    pub city: Cow<'a, str>,
    /// The region, county or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Cow<'a, str>>,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Cow<'a, str>>,
    /// The country, ISO 3166-1 alpha-2.
    pub country: Cow<'a, str>,
}

/// An identity document, as the customer declared it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireDocument<'a> {
    /// `passport`, `driving_licence`, `national_id` or `residence_permit`.
    #[serde(rename = "type")]
    pub document_type: Cow<'a, str>,
    /// The number.
    pub number: Cow<'a, str>,
    /// The country that issued it, ISO 3166-1 alpha-2.
    pub issuing_country: Cow<'a, str>,
    /// The last day on which it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// The day on which it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<Date>,
    /// The lines of the machine-readable zone (ICAO Doc 9303).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mrz: Vec<Cow<'a, str>>,
}

/// The fields of a customer that [`VerificationRequest`] bears: what an identity check compares. Tax numbers
/// and consents are for others, so they stay here.
pub const DISCLOSED: [Field; 14] = [
    Field::Name,
    Field::Email,
    Field::PhoneNumber,
    Field::DateOfBirth,
    Field::Address,
    Field::DocumentType,
    Field::DocumentNumber,
    Field::DocumentIssuingCountry,
    Field::DocumentExpiresOn,
    Field::DocumentIssuedOn,
    Field::Mrz,
    Field::Nationalities,
    Field::PlaceOfBirth,
    Field::Gender,
];

impl<'a> VerificationRequest<'a> {
    /// The body of a submission.
    #[must_use]
    pub fn of(submission: &'a Submission) -> Self {
        Self {
            verification_id: Cow::Owned(submission.verification.to_string()),
            subject_id: Cow::Owned(submission.subject.to_string()),
            applicant: Applicant::of(&submission.customer),
        }
    }
}

impl<'a> Applicant<'a> {
    fn of(customer: &'a Customer) -> Self {
        Self {
            name: customer.name().expose().into(),
            email: Some(customer.email().expose().into()),
            phone_number: Some(customer.phone_number().expose().into()),
            date_of_birth: customer.date_of_birth().expose(),
            address: WireAddress::of(customer.address()),
            identity_document: WireDocument::of(customer.identity_document()),
            nationalities: customer
                .nationalities()
                .as_slice()
                .iter()
                .map(|country| country.as_str().into())
                .collect(),
            place_of_birth: customer.place_of_birth().map(|place| place.expose().into()),
            gender: customer.gender().map(|gender| gender.as_str().into()),
        }
    }
}

impl<'a> WireAddress<'a> {
    fn of(address: &'a Address) -> Self {
        Self {
            line1: address.line1().expose().into(),
            line2: address.line2().map(|line| line.expose().into()),
            city: address.city().expose().into(),
            region: address.region().map(|region| region.expose().into()),
            postal_code: address.postal_code().map(|code| code.expose().into()),
            country: address.country().as_str().to_owned().into(),
        }
    }
}

impl<'a> WireDocument<'a> {
    fn of(document: &'a IdentityDocument) -> Self {
        Self {
            document_type: document.document_type().as_str().into(),
            number: document.number().expose().into(),
            issuing_country: document.issuing_country().as_str().to_owned().into(),
            expires_on: document.expires_on(),
            issued_on: document.issued_on(),
            mrz: document
                .mrz()
                .map(|mrz| mrz.expose_lines().map(Cow::Borrowed).collect())
                .unwrap_or_default(),
        }
    }
}

/// The body of every answer about a verification, and of a callback.
///
/// It has no `Debug`, since the link is as good as a password.
#[derive(Serialize, Deserialize, Default)]
pub struct VerificationState {
    /// The event, in callbacks: 1 to 64 characters, the same when a callback is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// The verification that it speaks of.
    pub verification_id: String,
    /// One of the words in [`state`].
    pub state: String,
    /// Where the customer has to go, where the state is `awaiting_customer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// When to ask again, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_after_ms: Option<u64>,
    /// `clear`, `consider` or `unusable`, where the state is `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discrepancies: Option<Vec<WireDiscrepancy>>,
}

/// One thing that did not fit.
#[derive(Serialize, Deserialize, Default)]
pub struct WireDiscrepancy {
    /// A code of the taxonomy, such as `mismatch.name`.
    pub code: String,
    /// The field that it concerns; the code's own where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// `minor`, `major` or `critical`; the code's own where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The provider's own code, kept for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_code: Option<String>,
}
