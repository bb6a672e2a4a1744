//! The bodies of requests and answers, as far as they are written and read (Onfido API v3.6).

use std::collections::BTreeMap;

use jiff::Timestamp;
use kyc_core::Secret;
use kyc_core::domain::document::DocumentType;
use kyc_core::domain::field::Field;
use kyc_core::ports::provider::Submission;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::progress::VendorId;

/// What [`ApplicantRequest`] and the uploads bear.
pub(super) const DISCLOSED: &[Field] = &[
    Field::Name,
    Field::DateOfBirth,
    Field::Address,
    Field::IdentityDocument,
    Field::DocumentType,
    Field::DocumentNumber,
    Field::DocumentIssuingCountry,
    Field::Consents,
];

/// The consent that Onfido asks for where an applicant lives in the United States, by its own name; also the purpose
/// of ours that stands for it.
const PRIVACY_NOTICES_READ: &str = "privacy_notices_read";

/// The body of `POST /applicants`: what the reports compare a document with, and no more.
#[derive(Serialize)]
pub(super) struct ApplicantRequest<'a> {
    first_name: &'a str,
    last_name: &'a str,
    dob: Wiped,
    id_numbers: Vec<IdNumber<'a>>,
    location: Location,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consents: Vec<Consent>,
}

/// A text that is overwritten when it goes, and is written as it is.
struct Wiped(Secret<String>);

impl Serialize for Wiped {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

#[derive(Serialize)]
struct IdNumber<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Location {
    country_of_residence: String,
}

#[derive(Serialize)]
struct Consent {
    name: &'static str,
    granted: bool,
}

impl<'a> ApplicantRequest<'a> {
    /// `reference` is ours, by which the applicant is found again.
    pub(super) fn of(submission: &'a Submission, reference: &'a str) -> Self {
        let customer = &submission.customer;
        let (first_name, last_name) = split(customer.name().expose());
        let document = customer.identity_document();
        let mut id_numbers = vec![IdNumber { kind: REFERENCE, value: reference }];
        if let Some(kind) = number_type(document.document_type()) {
            id_numbers.push(IdNumber { kind, value: document.number().expose() });
        }
        let granted = customer.consents().iter().any(|consent| consent.purpose() == PRIVACY_NOTICES_READ);
        Self {
            first_name,
            last_name,
            dob: Wiped(Secret::new(customer.date_of_birth().expose().to_string())),
            id_numbers,
            location: Location { country_of_residence: customer.address().country().alpha3().to_owned() },
            consents: granted
                .then_some(Consent { name: PRIVACY_NOTICES_READ, granted })
                .into_iter()
                .collect(),
        }
    }
}

/// First and last name: ours is one text, and says nothing of its parts. The last word is taken for the last name. Who
/// has one name only has it in both places, since neither may be missing; the comparison with the document is then
/// before a reviewer.
fn split(name: &str) -> (&str, &str) {
    let name = name.trim();
    name.rsplit_once(char::is_whitespace).map_or((name, name), |(first, last)| (first.trim(), last))
}

/// The kind of number that our reference stands under. An applicant has no field for a reference, and this kind is of
/// no document.
const REFERENCE: &str = "other";

/// The kind of a document's number; none for a residence permit, which has none of its own here.
const fn number_type(document: DocumentType) -> Option<&'static str> {
    match document {
        DocumentType::Passport => Some("passport"),
        DocumentType::DrivingLicence => Some("driving_licence"),
        DocumentType::NationalId => Some("identity_card"),
        DocumentType::ResidencePermit => None,
    }
}

/// The word for a type of document.
pub(super) const fn document_type(document: DocumentType) -> &'static str {
    match document {
        DocumentType::Passport => "passport",
        DocumentType::DrivingLicence => "driving_licence",
        DocumentType::NationalId => "national_identity_card",
        DocumentType::ResidencePermit => "residence_permit",
    }
}

/// The body of `POST /checks`.
#[derive(Serialize)]
pub(super) struct CheckRequest<'a> {
    pub(super) applicant_id: &'a str,
    pub(super) report_names: &'a [String],
    pub(super) document_ids: Vec<&'a str>,
    /// Our reference, by which a check of ours is told from one that somebody has made by hand.
    pub(super) tags: [&'a str; 1],
}

/// An applicant of an answer.
#[derive(Deserialize)]
pub(super) struct Applicant {
    pub(super) id: VendorId,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    id_numbers: Option<Vec<KnownNumber>>,
}

#[derive(Deserialize)]
struct KnownNumber {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

impl Applicant {
    /// Whether it bears our reference.
    pub(super) fn is(&self, reference: &str) -> bool {
        let numbers = self.id_numbers.as_deref().unwrap_or_default();
        numbers.iter().any(|number| {
            number.kind.as_deref() == Some(REFERENCE) && number.value.as_deref() == Some(reference)
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Applicants {
    pub(super) applicants: Vec<Applicant>,
}

/// A document or a live photo of an answer.
#[derive(Deserialize)]
pub(super) struct Upload {
    pub(super) id: VendorId,
    #[serde(default)]
    pub(super) file_name: Option<String>,
}

/// A list of documents, or of live photos.
#[derive(Deserialize)]
pub(super) struct Uploads {
    #[serde(alias = "live_photos")]
    pub(super) documents: Vec<Upload>,
}

/// A check of an answer.
#[derive(Deserialize)]
pub(super) struct Check {
    pub(super) id: VendorId,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) result: Option<String>,
    #[serde(default)]
    pub(super) report_ids: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Check {
    /// Whether it bears our reference.
    pub(super) fn is(&self, reference: &str) -> bool {
        self.tags.as_deref().unwrap_or_default().iter().any(|tag| tag == reference)
    }
}

#[derive(Deserialize)]
pub(super) struct Checks {
    pub(super) checks: Vec<Check>,
}

#[derive(Deserialize)]
pub(super) struct Reports {
    pub(super) reports: Vec<Report>,
}

/// A report of an answer.
#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) name: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) result: Option<String>,
    #[serde(default)]
    pub(super) sub_result: Option<String>,
    #[serde(default)]
    pub(super) check_id: Option<String>,
    #[serde(default)]
    pub(super) breakdown: Option<BTreeMap<String, Option<Group>>>,
}

/// A group of a breakdown.
#[derive(Deserialize)]
pub(super) struct Group {
    #[serde(default)]
    pub(super) result: Option<String>,
    #[serde(default)]
    pub(super) breakdown: Option<BTreeMap<String, Option<Part>>>,
}

/// One thing that was looked at.
#[derive(Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    pub(super) result: Option<String>,
    #[serde(default)]
    pub(super) properties: Option<BTreeMap<String, Value>>,
}

/// The body of an error: only its type, since the rest may repeat the input.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    error: ErrorType,
}

#[derive(Deserialize)]
struct ErrorType {
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl ErrorBody {
    /// Whether it speaks of what was sent.
    pub(super) fn is_validation(&self) -> bool {
        self.error.kind.as_deref() == Some("validation_error")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_is_the_last_name() {
        for (name, expected) in [
            ("Ada Lovelace", ("Ada", "Lovelace")),
            ("Nguyễn Văn A", ("Nguyễn Văn", "A")),
            ("Suharto", ("Suharto", "Suharto")),
            ("李小龍", ("李小龍", "李小龍")),
            ("Ada  King\u{3000}Lovelace", ("Ada  King", "Lovelace")),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
    }
}
