//! What a zone says, held against what was declared.

use jiff::civil::Date;

use super::layout::Zone;
use super::name::same_name;
use super::{Mrz, MrzFormat};
use crate::domain::consent::Gender;
use crate::domain::country::{Country, IcaoState};
use crate::domain::customer::Customer;
use crate::domain::discrepancy::{Code, Discrepancy};
use crate::domain::document::{DocumentType, IdentityDocument};
use crate::domain::field::Field;
use crate::domain::text::normalise_document_number;

/// Everything that does not fit between the zone of a customer's document and the rest of what was
/// declared; empty where there is no zone. Each finding stands once, in the order of the fields.
#[must_use]
pub fn discrepancies(customer: &Customer) -> Vec<Discrepancy> {
    customer.identity_document().mrz().map(|mrz| compare(mrz, customer)).unwrap_or_default()
}

fn compare(mrz: &Mrz, customer: &Customer) -> Vec<Discrepancy> {
    let zone = Zone::read(mrz);
    let document = customer.identity_document();
    let mut found = Vec::new();
    let mut differs = |is_so: bool, code: Code| {
        if is_so {
            found.push(Discrepancy::of(code));
        }
    };
    differs(!zone.check_digits_hold(), Code::MismatchMrz);
    differs(!same_name(customer.name().expose(), &zone.names), Code::MismatchName);
    differs(!same_day(customer.date_of_birth().expose(), zone.birth), Code::MismatchDateOfBirth);
    differs(!same_number(document, &zone), Code::MismatchDocumentNumber);
    differs(!same_issuer(document.issuing_country(), zone.issuer), Code::MismatchIssuingCountry);
    differs(!fits_nationality(customer, &zone), Code::MismatchNationality);
    differs(!fits_gender(customer.gender(), zone.sex), Code::MismatchGender);
    if !fits_expiry(document, &zone) {
        found.push(of_field(Field::DocumentExpiresOn));
    }
    if !fits_type(document.document_type(), mrz.format(), zone.code) {
        found.push(of_field(Field::DocumentType));
    }
    found
}

/// A mismatch with the zone that has no code of its own.
fn of_field(field: Field) -> Discrepancy {
    Discrepancy { field: Some(field), ..Discrepancy::of(Code::MismatchMrz) }
}

/// A zone has two digits for a year, so only those are compared. What the document does not know stands
/// as fillers (ICAO Doc 9303-3, section 4.8) and differs from nothing.
fn same_day(declared: Date, zone: &str) -> bool {
    let year = declared.year().rem_euclid(100);
    let declared = format!("{year:02}{:02}{:02}", declared.month(), declared.day());
    declared.len() == zone.len() && declared.bytes().zip(zone.bytes()).all(|(d, z)| z == b'<' || d == z)
}

fn same_number(document: &IdentityDocument, zone: &Zone<'_>) -> bool {
    let declared = zeroize::Zeroizing::new(normalise_document_number(document.number().expose()));
    let printed = zeroize::Zeroizing::new(normalise_document_number(zone.number.expose()));
    *declared == *printed
}

fn same_issuer(declared: Country, zone: &str) -> bool {
    match IcaoState::of(zone) {
        IcaoState::Country(country) => country == declared,
        IcaoState::NoCountry | IcaoState::Unspecified | IcaoState::Unknown => false,
    }
}

fn fits_nationality(customer: &Customer, zone: &Zone<'_>) -> bool {
    let declared = customer.nationalities();
    let Some(printed) = zone.nationality.filter(|_| !declared.is_empty()) else { return true };
    match IcaoState::of(printed) {
        IcaoState::Country(country) => declared.as_slice().contains(&country),
        IcaoState::Unspecified => true,
        IcaoState::NoCountry | IcaoState::Unknown => false,
    }
}

fn fits_gender(declared: Option<Gender>, zone: &str) -> bool {
    match (declared, zone) {
        (Some(gender), "F") => gender == Gender::Female,
        (Some(gender), "M") => gender == Gender::Male,
        (Some(_) | None, _) => true,
    }
}

fn fits_expiry(document: &IdentityDocument, zone: &Zone<'_>) -> bool {
    match (document.expires_on(), zone.expiry) {
        (Some(declared), Some(printed)) => same_day(declared, printed),
        (None, _) | (_, None) => true,
    }
}

/// Only what can't be: a passport's zone on another document, and a passport without `P`. A passport
/// card has the zone of a card and the code `IP`; codes of other cards are each state's own.
fn fits_type(declared: DocumentType, format: MrzFormat, code: &str) -> bool {
    match declared {
        DocumentType::Passport => code.starts_with('P') || code == "IP",
        DocumentType::DrivingLicence | DocumentType::NationalId | DocumentType::ResidencePermit => {
            format != MrzFormat::Td3 || !code.starts_with('P')
        }
    }
}
