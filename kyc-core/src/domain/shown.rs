//! What a reader is shown of a person: the one place where personal data is masked.

use jiff::civil::Date;

use super::address::Address;
use super::consent::{Consent, TaxId};
use super::country::Country;
use super::customer::Customer;
use super::document::{DocumentType, IdentityDocument};
use super::permission::Sight;
use super::text::MASK;
use crate::Secret;

/// A person's data as one reader may see it. A masked text is of the mark U+2022, which no field accepts, so
/// that what was masked can't be sent back as data.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownCustomer {
    /// The whole name.
    pub name: Secret<String>,
    /// The e-mail address.
    pub email: Secret<String>,
    /// The phone number.
    pub phone_number: Secret<String>,
    /// The date of birth, `YYYY-MM-DD` where it is not masked.
    pub date_of_birth: Secret<String>,
    /// The postal address.
    pub address: ShownAddress,
    /// The identity document.
    pub identity_document: ShownDocument,
    /// The nationalities, ISO 3166-1 alpha-2.
    pub nationalities: Vec<Secret<String>>,
    /// The place of birth.
    pub place_of_birth: Option<Secret<String>>,
    /// The gender, as a word of [`Gender`](super::consent::Gender).
    pub gender: Option<Secret<String>>,
    /// Tax ids: country and number.
    pub tax_ids: Vec<(Country, Secret<String>)>,
    /// The consents, which are evidence and no secret.
    pub consents: Vec<Consent>,
}

/// A postal address as one reader may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownAddress {
    /// The first line.
    pub line1: Secret<String>,
    /// The second line.
    pub line2: Option<Secret<String>>,
    /// The city.
    pub city: Secret<String>,
    /// The region.
    pub region: Option<Secret<String>>,
    /// The postal code.
    pub postal_code: Option<Secret<String>>,
    /// The country, which is shown to all.
    pub country: Country,
}

/// An identity document as one reader may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownDocument {
    /// What kind of document it is.
    pub document_type: DocumentType,
    /// The number.
    pub number: Secret<String>,
    /// The country that issued it.
    pub issuing_country: Country,
    /// The last day of its validity.
    pub expires_on: Option<Date>,
    /// The day of issue.
    pub issued_on: Option<Date>,
    /// The lines of the machine-readable zone.
    pub mrz: Option<Vec<Secret<String>>>,
}

/// The mark of a masked text. Its length says nothing of the value's.
fn mask() -> Secret<String> {
    Secret::new(MASK.to_string().repeat(8))
}

impl ShownCustomer {
    /// What a reader of this sight is shown.
    #[must_use]
    pub fn of(customer: &Customer, sight: Sight) -> Self {
        let text = |value: &str| if sight == Sight::Masked { mask() } else { value.into() };
        let number = |value: &str| if sight == Sight::Full { value.into() } else { mask() };
        let nationalities = customer.nationalities().as_slice();
        Self {
            name: text(customer.name().expose()),
            email: text(customer.email().expose()),
            phone_number: text(customer.phone_number().expose()),
            date_of_birth: text(&customer.date_of_birth().expose().to_string()),
            address: shown_address(customer.address(), text),
            identity_document: shown_document(customer.identity_document(), number),
            nationalities: nationalities.iter().map(|country| text(country.as_str())).collect(),
            place_of_birth: customer.place_of_birth().map(|place| text(place.expose())),
            gender: customer.gender().map(|gender| text(gender.as_str())),
            tax_ids: customer.tax_ids().iter().map(|one| shown_tax_id(one, number)).collect(),
            consents: customer.consents().to_vec(),
        }
    }
}

fn shown_address(address: &Address, text: impl Fn(&str) -> Secret<String>) -> ShownAddress {
    ShownAddress {
        line1: text(address.line1().expose()),
        line2: address.line2().map(|line| text(line.expose())),
        city: text(address.city().expose()),
        region: address.region().map(|region| text(region.expose())),
        postal_code: address.postal_code().map(|code| text(code.expose())),
        country: address.country(),
    }
}

fn shown_document(document: &IdentityDocument, number: impl Fn(&str) -> Secret<String>) -> ShownDocument {
    ShownDocument {
        document_type: document.document_type(),
        number: number(document.number().expose()),
        issuing_country: document.issuing_country(),
        expires_on: document.expires_on(),
        issued_on: document.issued_on(),
        mrz: document.mrz().map(|mrz| mrz.expose_lines().map(&number).collect()),
    }
}

fn shown_tax_id(one: &TaxId, number: impl Fn(&str) -> Secret<String>) -> (Country, Secret<String>) {
    (one.country(), number(one.number().expose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::{AddressForm, CustomerForm, DocumentForm, TaxIdForm};

    fn ada() -> Customer {
        let form = CustomerForm {
            name: Some("Ada Lovelace".into()),
            email: Some("ada@example.com".into()),
            phone_number: Some("+442079460958".into()),
            date_of_birth: Some("1974-08-12".into()),
            address: Some(AddressForm {
                line1: Some("12 St James's Square".into()),
                line2: Some("Flat 3".into()),
                city: Some("London".into()),
                region: Some("Middlesex".into()),
                postal_code: Some("SW1Y 4JH".into()),
                country: Some("GB".into()),
            }),
            identity_document: Some(DocumentForm {
                document_type: Some("passport".into()),
                number: Some("L898902C3".into()),
                issuing_country: Some("GB".into()),
                mrz: Some(vec![
                    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<".into(),
                    "L898902C36UTO7408122F1204159ZE184226B<<<<<10".into(),
                ]),
                ..DocumentForm::default()
            }),
            nationalities: Some(vec!["FR".into()]),
            place_of_birth: Some("Marylebone".into()),
            gender: Some("female".into()),
            tax_ids: Some(vec![TaxIdForm { country: Some("GB".into()), number: Some("QQ123456C".into()) }]),
            consents: None,
        };
        Customer::parse(form, "2026-01-31T00:00:00Z".parse().unwrap()).unwrap()
    }

    /// Every text that is shown, and of it those that are masked.
    fn texts(sight: Sight) -> Vec<String> {
        let ShownCustomer {
            name,
            email,
            phone_number,
            date_of_birth,
            address,
            identity_document,
            nationalities,
            place_of_birth,
            gender,
            tax_ids,
            consents: _,
        } = ShownCustomer::of(&ada(), sight);
        let mut all = vec![name, email, phone_number, date_of_birth, address.line1, address.city];
        all.extend(
            [address.line2, address.region, address.postal_code, place_of_birth, gender]
                .into_iter()
                .flatten(),
        );
        all.extend(nationalities);
        all.push(identity_document.number);
        all.extend(identity_document.mrz.unwrap());
        all.extend(tax_ids.into_iter().map(|(_, number)| number));
        all.iter().map(|text| text.expose().clone()).collect()
    }

    #[test]
    fn each_sight_shows_what_it_may() {
        let full = texts(Sight::Full);
        assert!(full.iter().all(|text| !text.contains(MASK)));
        assert!(texts(Sight::Masked).iter().all(|text| text.chars().all(|c| c == MASK)));
        let numbers = ["L898902C3", "P<UTOERIKSSON", "L898902C36UTO", "QQ123456C"];
        for (shown, plain) in texts(Sight::NumbersMasked).iter().zip(&full) {
            let is_number = numbers.iter().any(|number| plain.starts_with(number));
            assert_eq!(shown.contains(MASK), is_number, "{plain}");
        }
    }

    #[test]
    fn a_mask_says_nothing_of_the_length() {
        let lengths: Vec<_> = texts(Sight::Masked).iter().map(String::len).collect();
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
