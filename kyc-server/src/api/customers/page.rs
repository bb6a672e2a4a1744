//! Lists of customers: the body of a page, its cursor, and the form of a search.

use data_encoding::BASE64URL_NOPAD;
use kyc_core::domain::customer::SearchForm;
use kyc_core::domain::fault::Faults;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::store::PageRequest;
use kyc_core::usecase::{CustomerView, Page};
use poem_openapi::Object;
use poem_openapi::types::Example;

use super::body::CustomerBody;
use crate::api::body::{Fields, FromFields};
use crate::api::values::Day;

pub(super) const LIMIT_EXPECTED: &str = "a whole number from 1 to 200 is expected";
pub(super) const CURSOR_EXPECTED: &str = "the next_cursor of the page before is expected";

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// A page of customers.
#[derive(Debug, Object)]
#[oai(rename = "CustomerPage")]
pub(super) struct CustomerPageBody {
    /// The customers, newest registration first. With a filter a page may be short of the limit.
    items: Vec<CustomerBody>,
    /// What to ask the next page with; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
}

/// Customers who were found.
#[derive(Debug, Object)]
#[oai(rename = "CustomerList")]
pub(super) struct CustomerListBody {
    /// The customers, newest registration first.
    pub(super) items: Vec<CustomerBody>,
}

/// What to search for: one of `email`, `phone_number`, `document_number`, or `name` with `date_of_birth`.
#[derive(Debug, Object)]
#[oai(rename = "CustomerSearch", example, skip_serializing_if_is_none)]
pub(super) struct SearchBody {
    /// The e-mail address.
    email: Option<String>,
    /// The phone number, E.164.
    phone_number: Option<String>,
    /// The number of the identity document.
    document_number: Option<String>,
    /// The name; needs the date of birth.
    name: Option<String>,
    /// The date of birth; needs the name.
    date_of_birth: Option<Day>,
}

impl FromFields for SearchBody {
    type Value = SearchForm;

    fn from_fields(fields: &mut Fields<'_>) -> SearchForm {
        SearchForm {
            email: fields.text("email"),
            phone_number: fields.text("phone_number"),
            document_number: fields.text("document_number"),
            name: fields.text("name"),
            date_of_birth: fields.text("date_of_birth"),
        }
    }
}

impl Example for SearchBody {
    fn example() -> Self {
        Self {
            email: Some("ada@example.com".to_owned()),
            phone_number: None,
            document_number: None,
            name: None,
            date_of_birth: None,
        }
    }
}

/// The page that was asked for, or its faults.
pub(super) fn request(limit: Option<u32>, cursor: Option<&str>, faults: &mut Faults) -> PageRequest {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        faults.add("?limit", "parameter.invalid", LIMIT_EXPECTED);
    }
    let after = cursor.and_then(read_cursor);
    if cursor.is_some() && after.is_none() {
        faults.add("?cursor", "parameter.invalid", CURSOR_EXPECTED);
    }
    PageRequest { after, limit }
}

fn read_cursor(text: &str) -> Option<SubjectId> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Some(SubjectId::from_bytes(bytes.try_into().ok()?))
}

impl From<Page<CustomerView>> for CustomerPageBody {
    fn from(page: Page<CustomerView>) -> Self {
        Self {
            items: page.items.iter().map(Into::into).collect(),
            next_cursor: page.next.map(|last| BASE64URL_NOPAD.encode(&last.to_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let subject = SubjectId::from_bytes([7; 16]);
        let page = CustomerPageBody::from(Page { items: Vec::new(), next: Some(subject) });
        let mut faults = Faults::new();
        assert_eq!(request(None, page.next_cursor.as_deref(), &mut faults).after, Some(subject));
        assert!(faults.is_empty());
    }

    #[test]
    fn a_limit_and_a_cursor_out_of_bounds_are_faults() {
        for (limit, cursor) in [(Some(0), None), (Some(201), None), (None, Some("x")), (None, Some("AAAA"))] {
            let mut faults = Faults::new();
            request(limit, cursor, &mut faults);
            assert_eq!(faults.as_slice().len(), 1, "{limit:?} {cursor:?}");
        }
    }
}
