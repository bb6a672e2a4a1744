//! Everything that is held on a person, in JSON.

use kyc_core::Secret;
use kyc_core::domain::shown::ShownCustomer;
use kyc_core::domain::told::Telling;
use kyc_core::usecase::{DocumentView, Export, ExportedVerification, ExportedVersion};
use poem_openapi::Object;

use crate::api::audit::body::AuditEventBody;
use crate::api::customers::body::{AddressBody, ConsentBody, CustomerBody, DocumentBody, TaxIdBody};
use crate::api::documents::body::{FileBody, content_path};
use crate::api::values::{Day, Time};
use crate::api::verifications::body::VerificationBody;

/// Everything that is held on a person.
#[derive(Debug, Object)]
#[oai(rename = "Export")]
pub(super) struct ExportBody {
    /// When it was put together.
    exported_at: Time,
    /// The customer now.
    customer: CustomerBody,
    /// Every version of the data, oldest first.
    versions: Vec<VersionBody>,
    /// Every verification, newest first.
    verifications: Vec<ExportedVerificationBody>,
    /// Every file, oldest first.
    documents: Vec<ExportedFileBody>,
    /// When the relationship ended, where it has.
    #[oai(nullable)]
    relationship_ended_on: Option<Day>,
    /// From which day on the customer may be erased without overriding the retention.
    erasable_from: Day,
    /// Why the customer must not be erased, where there is a legal hold.
    #[oai(nullable)]
    legal_hold: Option<String>,
    /// What was done about the person, and who saw the data, newest first.
    audit_events: Vec<AuditEventBody>,
}

/// One version of a person's data.
#[derive(Debug, Object)]
#[oai(rename = "CustomerVersion")]
struct VersionBody {
    /// Which one, from 1.
    version: u32,
    /// When it was stored.
    stored_at: Time,
    /// The whole name.
    name: String,
    /// The e-mail address.
    email: String,
    /// The phone number, E.164.
    phone_number: String,
    /// The date of birth, `YYYY-MM-DD`.
    date_of_birth: String,
    /// The postal address.
    address: AddressBody,
    /// The identity document.
    identity_document: DocumentBody,
    /// Nationalities, ISO 3166-1 alpha-2.
    nationalities: Vec<String>,
    /// The place of birth.
    #[oai(nullable)]
    place_of_birth: Option<String>,
    /// The gender, as the document states it.
    #[oai(nullable)]
    gender: Option<String>,
    /// Tax identification numbers.
    tax_ids: Vec<TaxIdBody>,
    /// Consents given.
    consents: Vec<ConsentBody>,
}

/// A verification with everything that it left.
#[derive(Debug, Object)]
#[oai(rename = "ExportedVerification")]
struct ExportedVerificationBody {
    /// The verification.
    #[oai(flatten)]
    verification: VerificationBody,
    /// What names the attempt at the provider.
    #[oai(nullable)]
    provider_reference: Option<String>,
    /// The page that the person has to visit, while the provider asks for it.
    #[oai(nullable)]
    link: Option<String>,
    /// The provider's answer as it came.
    #[oai(nullable)]
    provider_answer: Option<String>,
}

/// A file, and where its content is.
#[derive(Debug, Object)]
#[oai(rename = "ExportedDocument")]
struct ExportedFileBody {
    /// The file.
    #[oai(flatten)]
    file: FileBody,
    /// The path at which the content is read.
    content: String,
}

/// A text that leaves the service.
fn plain(text: Option<Secret<String>>) -> Option<String> {
    text.map(|text| text.expose().clone())
}

impl From<Export> for ExportBody {
    fn from(export: Export) -> Self {
        Self {
            exported_at: Time(export.exported_at),
            customer: (&export.customer).into(),
            versions: export.versions.into_iter().map(Into::into).collect(),
            verifications: export.verifications.into_iter().map(Into::into).collect(),
            documents: export.documents.iter().map(Into::into).collect(),
            relationship_ended_on: export.relationship_ended_on.map(Day),
            erasable_from: Day(export.erasable_from),
            legal_hold: plain(export.legal_hold),
            audit_events: export.events.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&DocumentView> for ExportedFileBody {
    fn from(view: &DocumentView) -> Self {
        Self { file: view.into(), content: content_path(view) }
    }
}

impl From<ExportedVersion> for VersionBody {
    fn from(one: ExportedVersion) -> Self {
        let ExportedVersion { version, at, shown } = one;
        let ShownCustomer { name, email, phone_number, date_of_birth, .. } = &shown;
        Self {
            version,
            stored_at: Time(at),
            name: name.expose().clone(),
            email: email.expose().clone(),
            phone_number: phone_number.expose().clone(),
            date_of_birth: date_of_birth.expose().clone(),
            address: (&shown.address).into(),
            identity_document: (&shown.identity_document).into(),
            nationalities: shown.nationalities.iter().map(|code| code.expose().clone()).collect(),
            place_of_birth: plain(shown.place_of_birth),
            gender: plain(shown.gender),
            tax_ids: shown.tax_ids.iter().map(Into::into).collect(),
            consents: shown.consents.iter().map(Into::into).collect(),
        }
    }
}

impl From<ExportedVerification> for ExportedVerificationBody {
    fn from(one: ExportedVerification) -> Self {
        Self {
            verification: VerificationBody::told(&one.verification, Telling::Everything),
            provider_reference: plain(one.progress),
            link: plain(one.link),
            provider_answer: plain(one.answer),
        }
    }
}
