//! A customer to test with.

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
