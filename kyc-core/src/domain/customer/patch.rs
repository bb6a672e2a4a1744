//! A change of a customer: what is absent stays, `null` clears, a value replaces.

use jiff::Timestamp;

use super::form::REQUIRED;

use super::{AddressForm, ConsentForm, Customer, DocumentForm, Fresh, TaxIdForm};
use super::{cross_check, parse_consents, parse_tax_ids, today};
use crate::Secret;
use crate::domain::address::Address;
use crate::domain::birth::DateOfBirth;
use crate::domain::consent::{Gender, Nationalities, PlaceOfBirth};
use crate::domain::contact::{Email, PhoneNumber};
use crate::domain::document::IdentityDocument;
use crate::domain::fault::{Faults, Invalid};
use crate::domain::name::PersonName;

/// One field of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Absent: the value stays as it is.
    #[default]
    Keep,
    /// `null`: the value goes.
    Clear,
    /// This replaces the value.
    Set(T),
}

/// A change as a caller sends it. Address, document and lists are replaced whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerUpdate {
    /// The person's name; can't be cleared.
    pub name: Patch<Secret<String>>,
    /// The e-mail address; can't be cleared.
    pub email: Patch<Secret<String>>,
    /// The phone number; can't be cleared.
    pub phone_number: Patch<Secret<String>>,
    /// The date of birth; can't be cleared.
    pub date_of_birth: Patch<Secret<String>>,
    /// The postal address; can't be cleared.
    pub address: Patch<AddressForm>,
    /// The identity document; can't be cleared.
    pub identity_document: Patch<DocumentForm>,
    /// Nationalities.
    pub nationalities: Patch<Vec<Secret<String>>>,
    /// The place of birth.
    pub place_of_birth: Patch<Secret<String>>,
    /// The gender.
    pub gender: Patch<Secret<String>>,
    /// Tax ids.
    pub tax_ids: Patch<Vec<TaxIdForm>>,
    /// Consents.
    pub consents: Patch<Vec<ConsentForm>>,
}

impl CustomerUpdate {
    /// The customer after the change. What stays was valid when it was parsed and is not read again; what
    /// is new is held against what stays.
    ///
    /// # Errors
    /// Every fault of what is new, and `field.required` where a required field is cleared.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the change is consumed so that it is wiped once it was read"
    )]
    pub fn apply(update: Self, current: &Customer, now: Timestamp) -> Result<Customer, Faults> {
        let today = today(now);
        let mut faults = Faults::new();
        let mut next = current.clone();
        let mut change = Change { faults: &mut faults };
        change.set("/name", &update.name, &mut next.name, |text| PersonName::parse(text.expose()));
        change.set("/email", &update.email, &mut next.email, |text| Email::parse(text.expose()));
        change.set("/phone_number", &update.phone_number, &mut next.phone_number, |text| {
            PhoneNumber::parse(text.expose())
        });
        let birth = change.set("/date_of_birth", &update.date_of_birth, &mut next.date_of_birth, |text| {
            DateOfBirth::parse(text.expose(), today)
        });
        change.set("/address", &update.address, &mut next.address, |form| Address::parse(form, "/address"));
        let at = "/identity_document";
        let document = change.set(at, &update.identity_document, &mut next.identity_document, |form| {
            IdentityDocument::parse(form, today, at)
        });
        change.set_or_clear("/nationalities", &update.nationalities, &mut next.nationalities, |codes| {
            Nationalities::parse(codes, "/nationalities")
        });
        change.set_or_clear("/place_of_birth", &update.place_of_birth, &mut next.place_of_birth, |text| {
            PlaceOfBirth::parse(text.expose()).map(Some)
        });
        change.set_or_clear("/gender", &update.gender, &mut next.gender, |text| {
            Gender::parse(text.expose()).map(Some)
        });
        change.set_or_clear("/tax_ids", &update.tax_ids, &mut next.tax_ids, |forms| {
            parse_tax_ids(forms, "/tax_ids")
        });
        change.set_or_clear("/consents", &update.consents, &mut next.consents, |forms| {
            parse_consents(forms, now, "/consents")
        });
        // What could not be read left its old value in `next`, and the other is not to be held against that.
        if birth != Outcome::Refused && document != Outcome::Refused {
            let fresh = Fresh { birth: birth == Outcome::Replaced, document: document == Outcome::Replaced };
            cross_check(&mut faults, &next.date_of_birth, &next.identity_document, fresh);
        }
        if faults.is_empty() { Ok(next) } else { Err(faults) }
    }
}

/// What became of one field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Kept,
    Replaced,
    Refused,
}

/// The fields of a change, one after the other.
struct Change<'f> {
    faults: &'f mut Faults,
}

impl Change<'_> {
    /// A field that can't be cleared.
    fn set<F, T, E: Refusal>(
        &mut self,
        at: &str,
        patch: &Patch<F>,
        value: &mut T,
        parse: impl FnOnce(&F) -> Result<T, E>,
    ) -> Outcome {
        match patch {
            Patch::Keep => Outcome::Kept,
            Patch::Clear => self.refuse(at, REQUIRED),
            Patch::Set(form) => self.replace(at, value, parse(form)),
        }
    }

    /// A field that goes where it is cleared.
    fn set_or_clear<F, T: Default, E: Refusal>(
        &mut self,
        at: &str,
        patch: &Patch<F>,
        value: &mut T,
        parse: impl FnOnce(&F) -> Result<T, E>,
    ) -> Outcome {
        match patch {
            Patch::Keep => Outcome::Kept,
            Patch::Clear => self.replace(at, value, Ok::<T, Faults>(T::default())),
            Patch::Set(form) => self.replace(at, value, parse(form)),
        }
    }

    fn replace<T, E: Refusal>(&mut self, at: &str, value: &mut T, parsed: Result<T, E>) -> Outcome {
        match parsed {
            Ok(parsed) => {
                *value = parsed;
                Outcome::Replaced
            }
            Err(refusal) => self.refuse(at, refusal),
        }
    }

    fn refuse(&mut self, at: &str, refusal: impl Refusal) -> Outcome {
        refusal.add_to(self.faults, at);
        Outcome::Refused
    }
}

/// What a field was refused for: one fault, or those of its own fields.
trait Refusal {
    fn add_to(self, faults: &mut Faults, at: &str);
}

impl Refusal for Invalid {
    fn add_to(self, faults: &mut Faults, at: &str) {
        faults.add(at, self.code, self.detail);
    }
}

impl Refusal for Faults {
    fn add_to(self, faults: &mut Faults, _at: &str) {
        faults.merge(self);
    }
}
