//! A customer to test with.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::Secret;
use crate::domain::customer::{AddressForm, CustomerForm, DocumentForm};

/// A customer who is verified wherever the provider is content: of age, with a British passport that is valid
/// until 2031. Change what a test is about by struct update:
///
/// ```
/// use kyc_core::domain::customer::CustomerForm;
/// use kyc_core::fakes::sample_customer;
///
/// let child = CustomerForm { date_of_birth: Some("2020-01-01".into()), ..sample_customer() };
/// assert_eq!(child.name, Some("Ada Lovelace".into()));
/// ```
#[must_use]
pub fn sample_customer() -> CustomerForm {
    CustomerForm {
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
        phone_number: Some("+442079460958".into()),
        date_of_birth: Some("1990-12-10".into()),
        address: Some(AddressForm {
            line1: Some("12 St James's Square".into()),
            city: Some("London".into()),
            postal_code: Some("SW1Y 4JH".into()),
            country: Some("GB".into()),
            ..AddressForm::default()
        }),
        identity_document: Some(DocumentForm {
            document_type: Some("passport".into()),
            number: Some("925076473".into()),
            issuing_country: Some("GB".into()),
            expires_on: Some("2031-05-01".into()),
            ..DocumentForm::default()
        }),
        ..CustomerForm::default()
    }
}

/// One of ten thousand such customers, each with a day of birth and a passport of its own, so that none is taken for
/// another's double. The first, number 0, is [`sample_customer`].
///
/// ```
/// use kyc_core::fakes::{sample_customer, sample_person};
///
/// assert_eq!(sample_person(0), sample_customer());
/// assert_ne!(sample_person(7).date_of_birth, sample_person(8).date_of_birth);
/// ```
#[must_use]
pub fn sample_person(number: usize) -> CustomerForm {
    let number = u32::try_from(number % 10_000).unwrap_or_default();
    let mut person = sample_customer();
    let born = Date::constant(1990, 12, 10) - i64::from(number).days();
    person.date_of_birth = Some(Secret::new(born.to_string()));
    if let Some(document) = &mut person.identity_document {
        document.number = Some(Secret::new((925_076_473 + number).to_string()));
    }
    person
}
