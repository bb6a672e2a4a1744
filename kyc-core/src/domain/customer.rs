//! A customer's data: parsed once, valid ever after.

mod form;
mod patch;
mod search;
mod stored;

pub use form::{AddressForm, ConsentForm, CustomerForm, DocumentForm, TaxIdForm};
pub use patch::{CustomerUpdate, Patch};
pub use search::{FingerprintKind, SearchForm, SearchKey};
pub use stored::Unreadable;

pub(crate) use form::Reading;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use super::address::Address;
use super::birth::DateOfBirth;
use super::consent::{Consent, Gender, Nationalities, PlaceOfBirth, TaxId};
use super::contact::{Email, PhoneNumber};
use super::document::IdentityDocument;
use super::fault::{Faults, Invalid};
use super::field::Field;
use super::name::PersonName;
use super::text::redacted_debug;

/// What is held on a person. Every value was parsed, so that whoever has a `Customer` checks nothing
/// again; `Debug` shows none of them.
///
/// ```
/// use kyc_core::domain::customer::{AddressForm, Customer, CustomerForm, DocumentForm};
///
/// let now = "2026-03-15T12:00:00Z".parse().unwrap();
/// let mut form = CustomerForm::default();
/// form.name = Some("Ada Lovelace".into());
/// form.email = Some("ada@example.com".into());
/// form.phone_number = Some("+442079460958".into());
/// form.date_of_birth = Some("1990-12-10".into());
/// let mut address = AddressForm::default();
/// address.line1 = Some("12 St James's Square".into());
/// address.city = Some("London".into());
/// address.country = Some("GB".into());
/// form.address = Some(address);
/// let mut document = DocumentForm::default();
/// document.document_type = Some("passport".into());
/// document.number = Some("925076473".into());
/// document.issuing_country = Some("GB".into());
/// form.identity_document = Some(document);
/// let customer = Customer::parse(form.clone(), now)?;
/// assert_eq!(customer.address().country().as_str(), "GB");
///
/// form.email = Some("ada".into());
/// form.phone_number = None;
/// let faults = Customer::parse(form, now).unwrap_err();
/// assert_eq!(faults.to_string(), "/email: email.invalid; /phone_number: field.required");
/// # Ok::<(), kyc_core::domain::fault::Faults>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Customer {
    name: PersonName,
    email: Email,
    phone_number: PhoneNumber,
    date_of_birth: DateOfBirth,
    address: Address,
    identity_document: IdentityDocument,
    nationalities: Nationalities,
    place_of_birth: Option<PlaceOfBirth>,
    gender: Option<Gender>,
    tax_ids: Vec<TaxId>,
    consents: Vec<Consent>,
}

redacted_debug!(Customer);

/// Which of the fields that are checked against each other are new.
#[derive(Clone, Copy)]
struct Fresh {
    birth: bool,
    document: bool,
}

impl Customer {
    /// Reads what a caller sent. `now` decides what is in the future; days are those of UTC.
    ///
    /// # Errors
    /// Every fault at once, each with a JSON pointer into the form. No fault repeats a value.
    // By value: what was read is not needed again, and is overwritten here.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the form is consumed so that it is wiped once it was read"
    )]
    pub fn parse(form: CustomerForm, now: Timestamp) -> Result<Self, Faults> {
        let today = today(now);
        let mut faults = Faults::new();
        let name = faults.required("/name", form.name.as_ref(), PersonName::parse);
        let email = faults.required("/email", form.email.as_ref(), Email::parse);
        let phone_number = faults.required("/phone_number", form.phone_number.as_ref(), PhoneNumber::parse);
        let date_of_birth = faults
            .required("/date_of_birth", form.date_of_birth.as_ref(), |text| DateOfBirth::parse(text, today));
        let address = faults.required_whole("/address", form.address.as_ref(), Address::parse);
        let identity_document =
            faults.required_whole("/identity_document", form.identity_document.as_ref(), |form, at| {
                IdentityDocument::parse(form, today, at)
            });
        let nationalities =
            faults.optional_whole("/nationalities", form.nationalities.as_deref(), Nationalities::parse);
        let place_of_birth =
            faults.optional("/place_of_birth", form.place_of_birth.as_ref(), PlaceOfBirth::parse);
        let gender = faults.optional("/gender", form.gender.as_ref(), Gender::parse);
        let tax_ids = faults.optional_whole("/tax_ids", form.tax_ids.as_deref(), parse_tax_ids);
        let consents = faults.optional_whole("/consents", form.consents.as_deref(), |forms, at| {
            parse_consents(forms, now, at)
        });
        if let (Some(birth), Some(document)) = (&date_of_birth, &identity_document) {
            cross_check(&mut faults, birth, document, Fresh { birth: true, document: true });
        }
        match (name, email, phone_number, date_of_birth, address, identity_document) {
            (
                Some(name),
                Some(email),
                Some(phone_number),
                Some(date_of_birth),
                Some(address),
                Some(document),
            ) if faults.is_empty() => Ok(Self {
                name,
                email,
                phone_number,
                date_of_birth,
                address,
                identity_document: document,
                nationalities: nationalities.unwrap_or_default(),
                place_of_birth,
                gender,
                tax_ids: tax_ids.unwrap_or_default(),
                consents: consents.unwrap_or_default(),
            }),
            _ => Err(faults),
        }
    }

    /// The top-level fields in which the two differ, in the order of the contract.
    #[must_use]
    pub fn changed_fields(&self, other: &Self) -> Vec<Field> {
        let differs = [
            (Field::Name, self.name != other.name),
            (Field::Email, self.email != other.email),
            (Field::PhoneNumber, self.phone_number != other.phone_number),
            (Field::DateOfBirth, self.date_of_birth != other.date_of_birth),
            (Field::Address, self.address != other.address),
            (Field::IdentityDocument, self.identity_document != other.identity_document),
            (Field::Nationalities, self.nationalities != other.nationalities),
            (Field::PlaceOfBirth, self.place_of_birth != other.place_of_birth),
            (Field::Gender, self.gender != other.gender),
            (Field::TaxIds, self.tax_ids != other.tax_ids),
            (Field::Consents, self.consents != other.consents),
        ];
        differs.into_iter().filter_map(|(field, differs)| differs.then_some(field)).collect()
    }

    /// The top-level fields that hold something, in the order of the contract.
    #[must_use]
    pub fn present_fields(&self) -> Vec<Field> {
        Field::ALL.iter().copied().filter(|field| field.is_whole() && self.has(*field)).collect()
    }

    /// Whether the customer has consented to something.
    #[must_use]
    pub fn has_consented(&self, purpose: &str) -> bool {
        self.consents.iter().any(|given| given.purpose() == purpose)
    }

    /// Whether a field, or a part of the identity document, holds something.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        let document = &self.identity_document;
        match field {
            Field::Name
            | Field::Email
            | Field::PhoneNumber
            | Field::DateOfBirth
            | Field::Address
            | Field::IdentityDocument
            | Field::DocumentType
            | Field::DocumentNumber
            | Field::DocumentIssuingCountry => true,
            Field::DocumentExpiresOn => document.expires_on().is_some(),
            Field::DocumentIssuedOn => document.issued_on().is_some(),
            Field::Mrz => document.mrz().is_some(),
            Field::Nationalities => !self.nationalities.is_empty(),
            Field::PlaceOfBirth => self.place_of_birth.is_some(),
            Field::Gender => self.gender.is_some(),
            Field::TaxIds => !self.tax_ids.is_empty(),
            Field::Consents => !self.consents.is_empty(),
            // Files lie beside the data.
            Field::FileFront | Field::FileBack | Field::FileSelfie | Field::FileProofOfAddress => false,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &PersonName {
        &self.name
    }

    /// The e-mail address.
    #[must_use]
    pub const fn email(&self) -> &Email {
        &self.email
    }

    /// The phone number.
    #[must_use]
    pub const fn phone_number(&self) -> &PhoneNumber {
        &self.phone_number
    }

    /// The date of birth.
    #[must_use]
    pub const fn date_of_birth(&self) -> &DateOfBirth {
        &self.date_of_birth
    }

    /// The postal address.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The identity document.
    #[must_use]
    pub const fn identity_document(&self) -> &IdentityDocument {
        &self.identity_document
    }

    /// The nationalities; empty where none was declared.
    #[must_use]
    pub const fn nationalities(&self) -> &Nationalities {
        &self.nationalities
    }

    /// The place of birth.
    #[must_use]
    pub const fn place_of_birth(&self) -> Option<&PlaceOfBirth> {
        self.place_of_birth.as_ref()
    }

    /// The gender, as the document states it.
    #[must_use]
    pub const fn gender(&self) -> Option<Gender> {
        self.gender
    }

    /// The tax identification numbers.
    #[must_use]
    pub fn tax_ids(&self) -> &[TaxId] {
        &self.tax_ids
    }

    /// The consents.
    #[must_use]
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }
}

/// The day of an instant in UTC, which all rules about days go by.
fn today(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

fn parse_tax_ids(forms: &[TaxIdForm], at: &str) -> Result<Vec<TaxId>, Faults> {
    let too_many = Invalid::new("tax_ids.too_many", "at most 10 tax ids are expected");
    parse_list(forms, at, TaxId::MAX, too_many, TaxId::parse)
}

fn parse_consents(forms: &[ConsentForm], now: Timestamp, at: &str) -> Result<Vec<Consent>, Faults> {
    let too_many = Invalid::new("consents.too_many", "at most 50 consents are expected");
    parse_list(forms, at, Consent::MAX, too_many, |form, at| Consent::parse(form, now, at))
}

fn parse_list<F, T>(
    forms: &[F],
    at: &str,
    max: usize,
    too_many: Invalid,
    parse: impl Fn(&F, &str) -> Result<T, Faults>,
) -> Result<Vec<T>, Faults> {
    let mut faults = Faults::new();
    if forms.len() > max {
        faults.add(at, too_many.code, too_many.detail);
    }
    let mut values = Vec::new();
    for (index, form) in forms.iter().enumerate().take(max) {
        match parse(form, &format!("{at}/{index}")) {
            Ok(value) => values.push(value),
            Err(found) => faults.merge(found),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// No document is issued, or expires, before its holder is born. The fault points at what is new.
fn cross_check(faults: &mut Faults, birth: &DateOfBirth, document: &IdentityDocument, fresh: Fresh) {
    let born = birth.expose();
    let place = |field: &'static str| if fresh.document { field } else { "/date_of_birth" };
    if !fresh.document && !fresh.birth {
        return;
    }
    if document.issued_on().is_some_and(|issued| issued < born) {
        faults.add(
            place("/identity_document/issued_on"),
            "identity_document.issued_before_birth",
            "a document is expected to be issued after its holder was born",
        );
    }
    if document.expires_on().is_some_and(|expires| expires < born) {
        faults.add(
            place("/identity_document/expires_on"),
            "identity_document.expires_before_birth",
            "a document is expected to expire after its holder was born",
        );
    }
}

#[cfg(test)]
mod tests;
