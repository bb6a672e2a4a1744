//! A customer as bytes, for sealing. What was parsed once is not judged again by later rules: a phone number
//! that no numbering plan knows any more still loads.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Customer;
use crate::Secret;
use crate::domain::address::{Address, AddressLine, PostalCode};
use crate::domain::birth::{DateOfBirth, Day, parse_date};
use crate::domain::consent::{Consent, Nationalities, PlaceOfBirth, TaxId, TaxNumber};
use crate::domain::contact::{Email, PhoneNumber};
use crate::domain::country::Country;
use crate::domain::document::{DocumentNumber, IdentityDocument};
use crate::domain::mrz::Mrz;
use crate::domain::name::PersonName;

/// The version of the form that [`Customer::encode`] writes.
const FORMAT: u16 = 1;

/// Stored bytes that are no customer. It holds nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A later version of this crate wrote them.
    #[error("the stored customer has a format that this version does not know")]
    UnknownFormat,
    /// They are damaged, or something else.
    #[error("the stored customer can't be read")]
    Malformed,
}

/// Read before all else, so that a later format is told from damage.
#[derive(Deserialize)]
struct Header {
    format: u16,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    format: u16,
    name: String,
    email: String,
    phone_number: String,
    date_of_birth: String,
    address: StoredAddress,
    identity_document: StoredDocument,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nationalities: Vec<StoredCountry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place_of_birth: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tax_ids: Vec<StoredTaxId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    consents: Vec<StoredConsent>,
}

/// Alpha-2 and alpha-3 code.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredCountry(String, String);

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredAddress {
    line1: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    city: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    country: StoredCountry,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredDocument {
    document_type: String,
    number: String,
    issuing_country: StoredCountry,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_on: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mrz: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredTaxId {
    country: StoredCountry,
    number: String,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredConsent {
    purpose: String,
    given_at: String,
    text_version: String,
}

impl Customer {
    /// The customer as bytes that [`Customer::decode`] reads, now and after every change of the rules.
    ///
    /// # Panics
    /// Never: texts, numbers and lists always have a JSON form.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "texts, numbers and lists always have a JSON form, and memory takes it"
    )]
    pub fn encode(&self) -> Secret<Vec<u8>> {
        let stored = Stored::from(self);
        // Measured first, so that the buffer never grows and leaves a copy behind.
        let mut length = Length(0);
        serde_json::to_writer(&mut length, &stored).expect("a customer has a JSON form");
        let mut bytes = Vec::with_capacity(length.0);
        serde_json::to_writer(&mut bytes, &stored).expect("a customer has a JSON form");
        Secret::new(bytes)
    }

    /// Reads what [`Customer::encode`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`] where the bytes are of a later format, or no customer.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let header: Header = serde_json::from_slice(bytes).map_err(|_| Unreadable::Malformed)?;
        if header.format != FORMAT {
            return Err(Unreadable::UnknownFormat);
        }
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| Unreadable::Malformed)?;
        stored.customer().ok_or(Unreadable::Malformed)
    }
}

/// Counts the bytes that are written to it.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl From<Country> for StoredCountry {
    fn from(country: Country) -> Self {
        Self(country.as_str().to_owned(), country.alpha3().to_owned())
    }
}

impl StoredCountry {
    fn country(&self) -> Option<Country> {
        Country::trusted(&self.0, &self.1)
    }
}

impl From<&Customer> for Stored {
    fn from(customer: &Customer) -> Self {
        let address = &customer.address;
        let document = &customer.identity_document;
        Self {
            format: FORMAT,
            name: customer.name.expose().to_owned(),
            email: customer.email.expose().to_owned(),
            phone_number: customer.phone_number.expose().to_owned(),
            date_of_birth: customer.date_of_birth.expose().to_string(),
            address: StoredAddress {
                line1: address.line1.expose().to_owned(),
                line2: address.line2.as_ref().map(|line| line.expose().to_owned()),
                city: address.city.expose().to_owned(),
                region: address.region.as_ref().map(|region| region.expose().to_owned()),
                postal_code: address.postal_code.as_ref().map(|code| code.expose().to_owned()),
                country: address.country.into(),
            },
            identity_document: StoredDocument {
                document_type: document.document_type.as_str().to_owned(),
                number: document.number.expose().to_owned(),
                issuing_country: document.issuing_country.into(),
                issued_on: document.issued_on().map(|day| day.to_string()),
                expires_on: document.expires_on().map(|day| day.to_string()),
                mrz: document.mrz.as_ref().map(|mrz| mrz.expose_lines().map(str::to_owned).collect()),
            },
            nationalities: customer.nationalities.as_slice().iter().copied().map(Into::into).collect(),
            place_of_birth: customer.place_of_birth.as_ref().map(|place| place.expose().to_owned()),
            gender: customer.gender.map(|gender| gender.as_str().to_owned()),
            tax_ids: customer
                .tax_ids
                .iter()
                .map(|tax_id| StoredTaxId {
                    country: tax_id.country.into(),
                    number: tax_id.number.expose().to_owned(),
                })
                .collect(),
            consents: customer
                .consents
                .iter()
                .map(|consent| StoredConsent {
                    purpose: consent.purpose.clone(),
                    given_at: consent.given_at.to_string(),
                    text_version: consent.text_version.clone(),
                })
                .collect(),
        }
    }
}

impl Stored {
    /// The customer; none where a value has not even the form of one.
    fn customer(&self) -> Option<Customer> {
        Some(Customer {
            name: PersonName::trusted(self.name.clone()),
            email: Email::trusted(self.email.clone()),
            phone_number: PhoneNumber::trusted(self.phone_number.clone()),
            date_of_birth: DateOfBirth::trusted(day(&self.date_of_birth)?),
            address: self.address.address()?,
            identity_document: self.identity_document.document()?,
            nationalities: Nationalities::trusted(all(&self.nationalities, StoredCountry::country)?),
            place_of_birth: self.place_of_birth.clone().map(PlaceOfBirth::trusted),
            gender: read(self.gender.as_ref(), |gender| gender.parse().ok()).ok()?,
            tax_ids: all(&self.tax_ids, |tax_id| {
                Some(TaxId {
                    country: tax_id.country.country()?,
                    number: TaxNumber::trusted(tax_id.number.clone()),
                })
            })?,
            consents: all(&self.consents, |consent| {
                Some(Consent {
                    purpose: consent.purpose.clone(),
                    given_at: consent.given_at.parse::<Timestamp>().ok()?,
                    text_version: consent.text_version.clone(),
                })
            })?,
        })
    }
}

impl StoredAddress {
    fn address(&self) -> Option<Address> {
        Some(Address {
            line1: AddressLine::trusted(self.line1.clone()),
            line2: self.line2.clone().map(AddressLine::trusted),
            city: AddressLine::trusted(self.city.clone()),
            region: self.region.clone().map(AddressLine::trusted),
            postal_code: self.postal_code.clone().map(PostalCode::trusted),
            country: self.country.country()?,
        })
    }
}

impl StoredDocument {
    fn document(&self) -> Option<IdentityDocument> {
        let secret_day = |text: &String| day(text).map(|date| Secret::new(Day(date)));
        Some(IdentityDocument {
            document_type: self.document_type.parse().ok()?,
            number: DocumentNumber::trusted(self.number.clone()),
            issuing_country: self.issuing_country.country()?,
            issued_on: read(self.issued_on.as_ref(), secret_day).ok()?,
            expires_on: read(self.expires_on.as_ref(), secret_day).ok()?,
            mrz: read(self.mrz.as_ref(), |lines| Mrz::trusted(lines)).ok()?,
        })
    }
}

fn day(text: &str) -> Option<Date> {
    parse_date(text).ok()
}

/// What may be absent, but must be readable where it is there.
fn read<S, T>(stored: Option<&S>, read: impl FnOnce(&S) -> Option<T>) -> Result<Option<T>, Unreadable> {
    stored.map(|stored| read(stored).ok_or(Unreadable::Malformed)).transpose()
}

fn all<S, T>(stored: &[S], read: impl Fn(&S) -> Option<T>) -> Option<Vec<T>> {
    stored.iter().map(read).collect()
}
