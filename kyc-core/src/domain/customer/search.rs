//! Exact search: what is fingerprinted of a customer, and how a search is read so that it meets it.

use zeroize::Zeroizing;

use super::Customer;
use crate::Secret;
use crate::domain::birth::parse_date;
use crate::domain::contact::{Email, PhoneNumber};
use crate::domain::country::Country;
use crate::domain::document::DocumentNumber;
use crate::domain::fault::Faults;
use crate::domain::name::PersonName;
use crate::domain::text::{normalise_document_number, normalise_for_search};
use crate::domain::words::words;

words! {
    /// What a fingerprint is of. Each kind has values of its own, so that no two meet by chance.
    pub enum FingerprintKind, "fingerprint kind" {
        /// The e-mail address, in lower case.
        Email = "email",
        /// The phone number, E.164.
        PhoneNumber = "phone_number",
        /// The document number, capitals and digits only, together with the country that issued the document.
        Document = "document",
        /// The letters of the name, in whatever case and script, together with the date of birth.
        NameAndBirth = "name_and_birth",
        /// The SHA-256 of a file that the customer sent, in hexadecimal. Nobody is searched by it.
        File = "file",
        /// The caller's id of the customer: what an erased one is known again by. Nobody is searched by it.
        CustomerId = "customer_id",
    }
}

impl Customer {
    /// What is fingerprinted of this customer to be searched by: one normalised value of each kind.
    #[must_use]
    pub fn search_keys(&self) -> Vec<(FingerprintKind, Secret<String>)> {
        FingerprintKind::ALL.iter().filter_map(|kind| Some((*kind, self.search_key(*kind)?))).collect()
    }

    fn search_key(&self, kind: FingerprintKind) -> Option<Secret<String>> {
        match kind {
            FingerprintKind::Email => Some(self.email().normalised()),
            FingerprintKind::PhoneNumber => Some(Secret::new(self.phone_number().expose().to_owned())),
            FingerprintKind::Document => {
                let document = self.identity_document();
                Some(document_key(document.number(), document.issuing_country()))
            }
            FingerprintKind::NameAndBirth => {
                Some(name_and_birth_key(self.name(), self.date_of_birth().expose()))
            }
            // Of files and of the id, which are no part of the data.
            FingerprintKind::File | FingerprintKind::CustomerId => None,
        }
    }
}

fn document_key(number: &DocumentNumber, country: Country) -> Secret<String> {
    let number = Zeroizing::new(normalise_document_number(number.expose()));
    Secret::new(format!("{country}\n{}", *number))
}

/// A search names no country, so that it is for the number with each of them.
fn document_keys(number: &DocumentNumber) -> Vec<Secret<String>> {
    Country::all().map(|country| document_key(number, country)).collect()
}

fn name_and_birth_key(name: &PersonName, born: jiff::civil::Date) -> Secret<String> {
    let normalised = Zeroizing::new(normalise_for_search(name.expose()));
    // No name holds a line feed, so the two can't run into each other.
    Secret::new(format!("{}\n{born}", *normalised))
}

/// An exact search as a caller sends it: one of e-mail, phone number, document number, or name with date of
/// birth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchForm {
    /// The e-mail address.
    pub email: Option<Secret<String>>,
    /// The phone number, E.164.
    pub phone_number: Option<Secret<String>>,
    /// The number of the identity document.
    pub document_number: Option<Secret<String>>,
    /// The name; needs the date of birth.
    pub name: Option<Secret<String>>,
    /// The date of birth, `YYYY-MM-DD`; needs the name.
    pub date_of_birth: Option<Secret<String>>,
}

/// How a search becomes the values that are looked up.
#[derive(Debug, Clone, Copy)]
pub enum SearchKey {}

impl SearchKey {
    /// Reads a search, with the parsers of a registration, so that equal input gives equal values: the kind, and the
    /// values of which a customer has one.
    ///
    /// A document is known by its number and its country together. A search is for the number alone, and so for the
    /// number with each country that there is.
    ///
    /// # Errors
    /// `search.one_of` at the empty pointer where not exactly one kind is asked for; else the faults of the
    /// fields.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the form is consumed so that it is wiped once it was read"
    )]
    pub fn parse(form: SearchForm) -> Result<(FingerprintKind, Vec<Secret<String>>), Faults> {
        let mut faults = Faults::new();
        let SearchForm { email, phone_number, document_number, name, date_of_birth } = &form;
        let key = match (email, phone_number, document_number, name, date_of_birth) {
            (Some(email), None, None, None, None) => faults
                .take("/email", Email::parse(email.expose()))
                .map(|email| (FingerprintKind::Email, vec![email.normalised()])),
            (None, Some(number), None, None, None) => faults
                .take("/phone_number", PhoneNumber::parse(number.expose()))
                .map(|number| (FingerprintKind::PhoneNumber, vec![Secret::new(number.expose().to_owned())])),
            (None, None, Some(number), None, None) => faults
                .take("/document_number", DocumentNumber::parse(number.expose()))
                .map(|number| (FingerprintKind::Document, document_keys(&number))),
            (None, None, None, Some(name), Some(born)) => {
                let name = faults.take("/name", PersonName::parse(name.expose()));
                let born = faults.take("/date_of_birth", parse_date(born.expose()));
                name.zip(born).map(|(name, born)| {
                    (FingerprintKind::NameAndBirth, vec![name_and_birth_key(&name, born)])
                })
            }
            _ => {
                faults.add(
                    "",
                    "search.one_of",
                    "exactly one of email, phone_number, document_number, or name with date_of_birth is expected",
                );
                None
            }
        };
        key.ok_or(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Field = fn(&mut SearchForm) -> &mut Option<Secret<String>>;

    const EMAIL: Field = |form| &mut form.email;
    const PHONE: Field = |form| &mut form.phone_number;
    const NUMBER: Field = |form| &mut form.document_number;
    const NAME: Field = |form| &mut form.name;
    const BORN: Field = |form| &mut form.date_of_birth;

    fn search(given: &[(Field, &str)]) -> Result<(FingerprintKind, String), String> {
        all(given).map(|(kind, values)| (kind, values.into_iter().next().unwrap_or_default()))
    }

    fn all(given: &[(Field, &str)]) -> Result<(FingerprintKind, Vec<String>), String> {
        let mut form = SearchForm::default();
        for (field, text) in given {
            *field(&mut form) = Some((*text).into());
        }
        SearchKey::parse(form)
            .map(|(kind, values)| (kind, values.iter().map(|value| value.expose().clone()).collect()))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn one_kind_is_asked_for() {
        let mail = (EMAIL, "ada@example.com");
        let phone = (PHONE, "+442079460958");
        let name = (NAME, "Ada");
        let born = (BORN, "1990-12-10");
        for given in [&[][..], &[name], &[born], &[mail, phone], &[mail, name, born], &[mail, name]] {
            assert_eq!(search(given), Err(": search.one_of".to_owned()));
        }
        assert_eq!(search(&[phone]), Ok((FingerprintKind::PhoneNumber, "+442079460958".to_owned())));
    }

    #[test]
    fn faults_point_at_the_fields() {
        let faults = |given| search(given).unwrap_err();
        assert_eq!(
            faults(&[(NAME, "A•"), (BORN, "1990")]),
            "/name: field.masked; /date_of_birth: date.invalid"
        );
        assert_eq!(faults(&[(EMAIL, "ada")]), "/email: email.invalid");
    }

    #[test]
    fn a_search_is_normalised() {
        let found = |given| search(given).unwrap();
        assert_eq!(
            found(&[(EMAIL, "Ada@Example.com")]),
            (FingerprintKind::Email, "ada@example.com".to_owned())
        );
        let (kind, numbers) = all(&[(NUMBER, "c01x-0006h")]).unwrap();
        assert_eq!((kind, numbers.len()), (FingerprintKind::Document, 249));
        assert!(
            numbers.contains(&"GB\nC01X0006H".to_owned()) && numbers.contains(&"ZW\nC01X0006H".to_owned())
        );
        assert_eq!(
            found(&[(NAME, " zoe  MÜLLER"), (BORN, "1990-12-10")]),
            (FingerprintKind::NameAndBirth, "zomuller\n1990-12-10".to_owned())
        );
    }

    #[test]
    fn names_of_accents_alone_stay_apart() {
        let key = |name| search(&[(NAME, name), (BORN, "1990-12-10")]).unwrap();
        assert_ne!(key("\u{301}"), key("\u{302}"));
    }
}
