//! What a caller sends, before anything is known of it.

use crate::Secret;
use crate::domain::fault::{Faults, Invalid};

/// A customer as a caller sends it. Nothing is checked yet; each text is overwritten when it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerForm {
    /// The person's name.
    pub name: Option<Secret<String>>,
    /// The e-mail address.
    pub email: Option<Secret<String>>,
    /// The phone number, E.164.
    pub phone_number: Option<Secret<String>>,
    /// The date of birth, `YYYY-MM-DD`.
    pub date_of_birth: Option<Secret<String>>,
    /// The postal address.
    pub address: Option<AddressForm>,
    /// The identity document.
    pub identity_document: Option<DocumentForm>,
    /// Nationalities, ISO 3166-1 alpha-2.
    pub nationalities: Option<Vec<Secret<String>>>,
    /// The place of birth.
    pub place_of_birth: Option<Secret<String>>,
    /// `female`, `male` or `x`.
    pub gender: Option<Secret<String>>,
    /// Tax ids.
    pub tax_ids: Option<Vec<TaxIdForm>>,
    /// Consents.
    pub consents: Option<Vec<ConsentForm>>,
}

/// An address as a caller sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressForm {
    /// The first line.
    pub line1: Option<Secret<String>>,
    /// The second line.
    pub line2: Option<Secret<String>>,
    /// The city.
    pub city: Option<Secret<String>>,
    /// The region, county or state.
    pub region: Option<Secret<String>>,
    /// The postal code.
    pub postal_code: Option<Secret<String>>,
    /// The country, ISO 3166-1 alpha-2.
    pub country: Option<Secret<String>>,
}

/// An identity document as a caller sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentForm {
    /// The kind of document; `type` in JSON.
    pub document_type: Option<Secret<String>>,
    /// The number.
    pub number: Option<Secret<String>>,
    /// The country that issued it, ISO 3166-1 alpha-2.
    pub issuing_country: Option<Secret<String>>,
    /// The day of issue, `YYYY-MM-DD`.
    pub issued_on: Option<Secret<String>>,
    /// The last day of validity, `YYYY-MM-DD`.
    pub expires_on: Option<Secret<String>>,
    /// The lines of the machine-readable zone.
    pub mrz: Option<Vec<Secret<String>>>,
}

/// A tax id as a caller sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxIdForm {
    /// The country that gave it, ISO 3166-1 alpha-2.
    pub country: Option<Secret<String>>,
    /// The number.
    pub number: Option<Secret<String>>,
}

/// A consent as a caller sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsentForm {
    /// What was consented to.
    pub purpose: Option<Secret<String>>,
    /// When, RFC 3339.
    pub given_at: Option<Secret<String>>,
    /// The version of the text that was shown.
    pub text_version: Option<Secret<String>>,
}

/// Reading the fields of a form, so that each fault lands at its place.
pub(crate) trait Reading {
    /// A field that must be there.
    fn required<T>(
        &mut self,
        at: &str,
        text: Option<&Secret<String>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T>;

    /// A field that may be left out.
    fn optional<T>(
        &mut self,
        at: &str,
        text: Option<&Secret<String>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T>;

    /// A field with fields of its own that must be there.
    fn required_whole<F: ?Sized, T>(
        &mut self,
        at: &str,
        form: Option<&F>,
        parse: impl FnOnce(&F, &str) -> Result<T, Faults>,
    ) -> Option<T>;

    /// A field with fields of its own that may be left out.
    fn optional_whole<F: ?Sized, T>(
        &mut self,
        at: &str,
        form: Option<&F>,
        parse: impl FnOnce(&F, &str) -> Result<T, Faults>,
    ) -> Option<T>;
}

pub(super) const REQUIRED: Invalid = Invalid::new("field.required", "this field is required");

impl Reading for Faults {
    fn required<T>(
        &mut self,
        at: &str,
        text: Option<&Secret<String>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.take(at, text.ok_or(REQUIRED).and_then(|text| parse(text.expose())))
    }

    fn optional<T>(
        &mut self,
        at: &str,
        text: Option<&Secret<String>>,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        text.and_then(|text| self.take(at, parse(text.expose())))
    }

    fn required_whole<F: ?Sized, T>(
        &mut self,
        at: &str,
        form: Option<&F>,
        parse: impl FnOnce(&F, &str) -> Result<T, Faults>,
    ) -> Option<T> {
        if form.is_none() {
            self.add(at, REQUIRED.code, REQUIRED.detail);
        }
        self.optional_whole(at, form, parse)
    }

    fn optional_whole<F: ?Sized, T>(
        &mut self,
        at: &str,
        form: Option<&F>,
        parse: impl FnOnce(&F, &str) -> Result<T, Faults>,
    ) -> Option<T> {
        match parse(form?, at) {
            Ok(value) => Some(value),
            Err(found) => {
                self.merge(found);
                None
            }
        }
    }
}
