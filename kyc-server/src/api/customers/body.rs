//! A customer in JSON: what comes in, what goes out, and how each field is read.

use kyc_core::Secret;
use kyc_core::domain::consent::{Consent, Gender};
use kyc_core::domain::country::Country;
use kyc_core::domain::customer::{
    AddressForm, ConsentForm, CustomerForm, CustomerUpdate, DocumentForm, TaxIdForm,
};
use kyc_core::domain::document::DocumentType;
use kyc_core::domain::shown::{ShownAddress, ShownDocument};
use kyc_core::domain::status::{Stage, StatusKind};
use kyc_core::usecase::CustomerView;
use poem_openapi::Object;
use poem_openapi::types::Example;

use crate::api::body::{Fields, FromFields};
use crate::api::values::{Day, Time, Word};

/// A customer to register.
#[derive(Debug, Object)]
#[oai(rename = "CustomerRegistration", example, skip_serializing_if_is_none)]
pub struct RegisterBody {
    /// Your own id of the customer: 1 to 64 of `A-Za-z0-9._-`, beginning with a letter or digit. It should
    /// hold no personal data.
    #[oai(validator(max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    pub customer_id: String,
    /// The whole name, in any script.
    #[oai(validator(max_length = 200))]
    pub name: String,
    /// The e-mail address.
    #[oai(validator(max_length = 254))]
    pub email: String,
    /// The phone number, E.164: `+` and digits. It must be one that can exist.
    pub phone_number: String,
    /// The date of birth; not in the future, at most 130 years ago.
    pub date_of_birth: Day,
    /// The postal address.
    pub address: AddressBody,
    /// The identity document.
    pub identity_document: DocumentBody,
    /// Nationalities, ISO 3166-1 alpha-2.
    #[oai(nullable)]
    pub nationalities: Option<Vec<String>>,
    /// The place of birth.
    #[oai(nullable)]
    pub place_of_birth: Option<String>,
    /// The gender, as the document states it.
    #[oai(nullable)]
    pub gender: Option<Word<Gender>>,
    /// Tax identification numbers.
    #[oai(nullable)]
    pub tax_ids: Option<Vec<TaxIdBody>>,
    /// Consents given.
    #[oai(nullable)]
    pub consents: Option<Vec<ConsentBody>>,
}

/// A change of a customer. A field that is left out keeps its value; `null` clears an optional one.
#[derive(Debug, Object)]
#[oai(rename = "CustomerUpdate", example, skip_serializing_if_is_none)]
pub struct UpdateBody {
    /// The customer's own id, or nothing: an id can't change.
    pub customer_id: Option<String>,
    /// The whole name. A change verifies again.
    #[oai(validator(max_length = 200))]
    pub name: Option<String>,
    /// The e-mail address.
    #[oai(validator(max_length = 254))]
    pub email: Option<String>,
    /// The phone number, E.164.
    pub phone_number: Option<String>,
    /// The date of birth. A change verifies again.
    pub date_of_birth: Option<Day>,
    /// The postal address, whole. A change verifies again.
    pub address: Option<AddressBody>,
    /// The identity document, whole. A change verifies again.
    pub identity_document: Option<DocumentBody>,
    /// Nationalities, all of them.
    #[oai(nullable)]
    pub nationalities: Option<Vec<String>>,
    /// The place of birth.
    #[oai(nullable)]
    pub place_of_birth: Option<String>,
    /// The gender, as the document states it.
    #[oai(nullable)]
    pub gender: Option<Word<Gender>>,
    /// Tax identification numbers, all of them.
    #[oai(nullable)]
    pub tax_ids: Option<Vec<TaxIdBody>>,
    /// Consents, all of them.
    #[oai(nullable)]
    pub consents: Option<Vec<ConsentBody>>,
}

/// A postal address.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Address")]
pub struct AddressBody {
    /// The first line.
    #[oai(validator(max_length = 200))]
    pub line1: String,
    /// The second line.
    #[oai(nullable, validator(max_length = 200))]
    pub line2: Option<String>,
    /// The city.
    #[oai(validator(max_length = 200))]
    pub city: String,
    /// The region, county or state.
    #[oai(nullable, validator(max_length = 200))]
    pub region: Option<String>,
    /// The postal code, where the country has them.
    #[oai(nullable, validator(max_length = 20))]
    pub postal_code: Option<String>,
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
}

/// An identity document.
#[derive(Debug, Clone, Object)]
#[oai(rename = "IdentityDocument")]
pub struct DocumentBody {
    /// What kind of document it is.
    #[oai(rename = "type")]
    pub document_type: Word<DocumentType>,
    /// The number on it.
    #[oai(validator(max_length = 40))]
    pub number: String,
    /// The country that issued it, ISO 3166-1 alpha-2.
    pub issuing_country: String,
    /// The last day of its validity. One that has passed is stored, and waits for another document.
    #[oai(nullable)]
    pub expires_on: Option<Day>,
    /// The day of issue.
    #[oai(nullable)]
    pub issued_on: Option<Day>,
    /// The lines of the machine-readable zone (ICAO 9303), compared with what is declared.
    #[oai(nullable)]
    pub mrz: Option<Vec<String>>,
}

/// A tax identification number.
#[derive(Debug, Clone, Object)]
#[oai(rename = "TaxId")]
pub struct TaxIdBody {
    /// The country that gave it, ISO 3166-1 alpha-2.
    pub country: String,
    /// The number.
    #[oai(validator(max_length = 40))]
    pub number: String,
}

/// A consent that the customer gave.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Consent")]
pub struct ConsentBody {
    /// What was consented to, such as `biometric`.
    #[oai(validator(max_length = 64, pattern = "^[a-z0-9_]+$"))]
    pub purpose: String,
    /// When.
    pub given_at: Time,
    /// The version of the text that was shown.
    #[oai(validator(max_length = 64))]
    pub text_version: String,
}

/// A customer, as far as the role of the key sees it: what it does not see is of the mark `•`.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Customer", example)]
pub struct CustomerBody {
    /// Your own id of the customer.
    pub customer_id: String,
    /// The whole name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The phone number, E.164.
    pub phone_number: String,
    /// The date of birth, `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// The postal address.
    pub address: AddressBody,
    /// The identity document.
    pub identity_document: DocumentBody,
    /// Nationalities, ISO 3166-1 alpha-2.
    pub nationalities: Vec<String>,
    /// The place of birth.
    #[oai(nullable)]
    pub place_of_birth: Option<String>,
    /// The gender, as the document states it.
    #[oai(nullable)]
    pub gender: Option<String>,
    /// Tax identification numbers.
    pub tax_ids: Vec<TaxIdBody>,
    /// Consents given.
    pub consents: Vec<ConsentBody>,
    /// Where the customer stands.
    pub status: Word<StatusKind>,
    /// Who has to act, while pending.
    #[oai(nullable)]
    pub stage: Option<Word<Stage>>,
    /// Counts the changes of the data, from 1; the ETag.
    pub version: u32,
    /// When the customer was registered.
    pub created_at: Time,
    /// When anything last changed.
    pub updated_at: Time,
}

impl FromFields for RegisterBody {
    type Value = (Option<String>, CustomerForm);

    fn from_fields(fields: &mut Fields<'_>) -> Self::Value {
        let id = plain(fields.text("customer_id"));
        let form = CustomerForm {
            name: fields.text("name"),
            email: fields.text("email"),
            phone_number: fields.text("phone_number"),
            date_of_birth: fields.text("date_of_birth"),
            address: fields.object::<AddressBody>("address"),
            identity_document: fields.object::<DocumentBody>("identity_document"),
            nationalities: fields.texts("nationalities"),
            place_of_birth: fields.text("place_of_birth"),
            gender: fields.text("gender"),
            tax_ids: fields.objects::<TaxIdBody>("tax_ids"),
            consents: fields.objects::<ConsentBody>("consents"),
        };
        (id, form)
    }
}

impl FromFields for UpdateBody {
    type Value = (Option<String>, CustomerUpdate);

    fn from_fields(fields: &mut Fields<'_>) -> Self::Value {
        let id = plain(fields.text("customer_id"));
        let update = CustomerUpdate {
            name: fields.patch_text("name"),
            email: fields.patch_text("email"),
            phone_number: fields.patch_text("phone_number"),
            date_of_birth: fields.patch_text("date_of_birth"),
            address: fields.patch_object::<AddressBody>("address"),
            identity_document: fields.patch_object::<DocumentBody>("identity_document"),
            nationalities: fields.patch_texts("nationalities"),
            place_of_birth: fields.patch_text("place_of_birth"),
            gender: fields.patch_text("gender"),
            tax_ids: fields.patch_objects::<TaxIdBody>("tax_ids"),
            consents: fields.patch_objects::<ConsentBody>("consents"),
        };
        (id, update)
    }
}

impl FromFields for AddressBody {
    type Value = AddressForm;

    fn from_fields(fields: &mut Fields<'_>) -> AddressForm {
        AddressForm {
            line1: fields.text("line1"),
            line2: fields.text("line2"),
            city: fields.text("city"),
            region: fields.text("region"),
            postal_code: fields.text("postal_code"),
            country: fields.text("country"),
        }
    }
}

impl FromFields for DocumentBody {
    type Value = DocumentForm;

    fn from_fields(fields: &mut Fields<'_>) -> DocumentForm {
        DocumentForm {
            document_type: fields.text("type"),
            number: fields.text("number"),
            issuing_country: fields.text("issuing_country"),
            issued_on: fields.text("issued_on"),
            expires_on: fields.text("expires_on"),
            mrz: fields.texts("mrz"),
        }
    }
}

impl FromFields for TaxIdBody {
    type Value = TaxIdForm;

    fn from_fields(fields: &mut Fields<'_>) -> TaxIdForm {
        TaxIdForm { country: fields.text("country"), number: fields.text("number") }
    }
}

impl FromFields for ConsentBody {
    type Value = ConsentForm;

    fn from_fields(fields: &mut Fields<'_>) -> ConsentForm {
        ConsentForm {
            purpose: fields.text("purpose"),
            given_at: fields.text("given_at"),
            text_version: fields.text("text_version"),
        }
    }
}

/// A text that leaves the service, or an id.
fn plain(text: Option<Secret<String>>) -> Option<String> {
    text.map(|text| text.expose().clone())
}

impl From<&CustomerView> for CustomerBody {
    fn from(view: &CustomerView) -> Self {
        let shown = &view.shown;
        Self {
            customer_id: view.customer_id.to_string(),
            name: shown.name.expose().clone(),
            email: shown.email.expose().clone(),
            phone_number: shown.phone_number.expose().clone(),
            date_of_birth: shown.date_of_birth.expose().clone(),
            address: (&shown.address).into(),
            identity_document: (&shown.identity_document).into(),
            nationalities: shown.nationalities.iter().map(|code| code.expose().clone()).collect(),
            place_of_birth: plain(shown.place_of_birth.clone()),
            gender: plain(shown.gender.clone()),
            tax_ids: shown.tax_ids.iter().map(Into::into).collect(),
            consents: shown.consents.iter().map(Into::into).collect(),
            status: Word(view.status.kind()),
            stage: view.status.stage().map(Word),
            version: view.version,
            created_at: Time(view.created_at),
            updated_at: Time(view.updated_at),
        }
    }
}

impl From<&ShownAddress> for AddressBody {
    fn from(address: &ShownAddress) -> Self {
        Self {
            line1: address.line1.expose().clone(),
            line2: plain(address.line2.clone()),
            city: address.city.expose().clone(),
            region: plain(address.region.clone()),
            postal_code: plain(address.postal_code.clone()),
            country: address.country.as_str().to_owned(),
        }
    }
}

impl From<&ShownDocument> for DocumentBody {
    fn from(document: &ShownDocument) -> Self {
        let lines = |mrz: &Vec<Secret<String>>| mrz.iter().map(|line| line.expose().clone()).collect();
        Self {
            document_type: Word(document.document_type),
            number: document.number.expose().clone(),
            issuing_country: document.issuing_country.as_str().to_owned(),
            expires_on: document.expires_on.map(Day),
            issued_on: document.issued_on.map(Day),
            mrz: document.mrz.as_ref().map(lines),
        }
    }
}

impl From<&(Country, Secret<String>)> for TaxIdBody {
    fn from((country, number): &(Country, Secret<String>)) -> Self {
        Self { country: country.as_str().to_owned(), number: number.expose().clone() }
    }
}

impl From<&Consent> for ConsentBody {
    fn from(consent: &Consent) -> Self {
        Self {
            purpose: consent.purpose().to_owned(),
            given_at: Time(consent.given_at()),
            text_version: consent.text_version().to_owned(),
        }
    }
}

impl Example for RegisterBody {
    fn example() -> Self {
        Self {
            customer_id: "cus-1001".to_owned(),
            name: "Ada Lovelace".to_owned(),
            email: "ada@example.com".to_owned(),
            phone_number: "+442079460958".to_owned(),
            date_of_birth: Day(jiff::civil::date(1990, 12, 10)),
            address: AddressBody {
                line1: "12 St James's Square".to_owned(),
                line2: None,
                city: "London".to_owned(),
                region: None,
                postal_code: Some("SW1Y 4JH".to_owned()),
                country: "GB".to_owned(),
            },
            identity_document: DocumentBody {
                document_type: Word(DocumentType::Passport),
                number: "925076473".to_owned(),
                issuing_country: "GB".to_owned(),
                expires_on: Some(Day(jiff::civil::date(2031, 5, 1))),
                issued_on: None,
                mrz: None,
            },
            nationalities: None,
            place_of_birth: None,
            gender: None,
            tax_ids: None,
            consents: None,
        }
    }
}

impl Example for CustomerBody {
    fn example() -> Self {
        let RegisterBody { customer_id, name, email, phone_number, date_of_birth, address, .. } =
            RegisterBody::example();
        let registered = jiff::civil::date(2026, 1, 31).at(9, 30, 0, 0);
        let registered = Time(jiff::tz::Offset::UTC.to_timestamp(registered).unwrap_or_default());
        Self {
            customer_id,
            name,
            email,
            phone_number,
            date_of_birth: date_of_birth.0.to_string(),
            address,
            identity_document: RegisterBody::example().identity_document,
            nationalities: Vec::new(),
            place_of_birth: None,
            gender: None,
            tax_ids: Vec::new(),
            consents: Vec::new(),
            status: Word(StatusKind::Pending),
            stage: Some(Word(Stage::Queued)),
            version: 1,
            created_at: registered,
            updated_at: registered,
        }
    }
}

impl Example for UpdateBody {
    fn example() -> Self {
        Self {
            customer_id: None,
            name: Some("Ada King".to_owned()),
            email: None,
            phone_number: None,
            date_of_birth: None,
            address: None,
            identity_document: None,
            nationalities: None,
            place_of_birth: None,
            gender: None,
            tax_ids: None,
            consents: None,
        }
    }
}
