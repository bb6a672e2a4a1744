//! An identity document as it was declared.

use jiff::civil::Date;

use super::birth::{Day, parse_date};
use super::country::Country;
use super::customer::{DocumentForm, Reading};
use super::fault::{Faults, Invalid};
use super::mrz::Mrz;
use super::text::{redacted_debug, refuse_masked, secret_text};
use super::words::words;
use crate::Secret;

words! {
    /// The kind of an identity document.
    pub enum DocumentType, "document type" {
        /// A passport.
        Passport = "passport",
        /// A driving licence.
        DrivingLicence = "driving_licence",
        /// A national identity card.
        NationalId = "national_id",
        /// A residence permit.
        ResidencePermit = "residence_permit",
    }
}

impl DocumentType {
    /// Reads the word.
    ///
    /// # Errors
    /// `document_type.unknown`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        text.parse().map_err(|_| {
            Invalid::new(
                "document_type.unknown",
                "passport, driving_licence, national_id or residence_permit is expected",
            )
        })
    }
}

secret_text! {
    /// The number of a document: 1 to 40 letters, digits, spaces and `-./`, among them a letter or a digit.
    pub struct DocumentNumber
}

impl DocumentNumber {
    /// The longest number, in characters.
    pub const MAX_LENGTH: usize = 40;

    /// Reads a number.
    ///
    /// # Errors
    /// `document_number.invalid`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        let number = text.trim_matches(' ');
        let formed = (1..=Self::MAX_LENGTH).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./".contains(&b))
            && number.bytes().any(|b| b.is_ascii_alphanumeric());
        if formed {
            Ok(Self::trusted(number.to_owned()))
        } else {
            Err(Invalid::new(
                "document_number.invalid",
                "1 to 40 letters, digits, spaces and - . / are expected",
            ))
        }
    }
}

/// An identity document. It may have expired: whether that matters is the policy's to say.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityDocument {
    pub(crate) document_type: DocumentType,
    pub(crate) number: DocumentNumber,
    pub(crate) issuing_country: Country,
    pub(crate) issued_on: Option<Secret<Day>>,
    pub(crate) expires_on: Option<Secret<Day>>,
    pub(crate) mrz: Option<Mrz>,
}

redacted_debug!(IdentityDocument);

impl IdentityDocument {
    /// Reads a document, as of `today`; faults point below `at`, such as `/identity_document`.
    ///
    /// # Errors
    /// Every fault of every field, and `identity_document.dates` where it expires before it was issued,
    /// `identity_document.issued_in_future`.
    pub fn parse(form: &DocumentForm, today: Date, at: &str) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let day = |text: &str| parse_date(text).map(|date| Secret::new(Day(date)));
        let document_type =
            faults.required(&format!("{at}/type"), form.document_type.as_ref(), DocumentType::parse);
        let number = faults.required(&format!("{at}/number"), form.number.as_ref(), DocumentNumber::parse);
        let issuing_country =
            faults.required(&format!("{at}/issuing_country"), form.issuing_country.as_ref(), Country::parse);
        let issued_on = faults.optional(&format!("{at}/issued_on"), form.issued_on.as_ref(), day);
        let expires_on = faults.optional(&format!("{at}/expires_on"), form.expires_on.as_ref(), day);
        let mrz = form.mrz.as_ref().and_then(|lines| {
            let lines: Vec<&str> = lines.iter().map(|line| line.expose().as_str()).collect();
            faults.take(&format!("{at}/mrz"), Mrz::parse(&lines))
        });
        if issued_on.as_ref().is_some_and(|day| day.expose().0 > today) {
            faults.add(
                format!("{at}/issued_on"),
                "identity_document.issued_in_future",
                "a day of issue that is not in the future is expected",
            );
        }
        if let (Some(issued), Some(expires)) = (&issued_on, &expires_on)
            && expires.expose() < issued.expose()
        {
            faults.add(
                format!("{at}/expires_on"),
                "identity_document.dates",
                "a document is expected to expire after it was issued",
            );
        }
        match (document_type, number, issuing_country) {
            (Some(document_type), Some(number), Some(issuing_country)) if faults.is_empty() => {
                Ok(Self { document_type, number, issuing_country, issued_on, expires_on, mrz })
            }
            _ => Err(faults),
        }
    }

    /// The kind of document.
    #[must_use]
    pub const fn document_type(&self) -> DocumentType {
        self.document_type
    }

    /// The number.
    #[must_use]
    pub const fn number(&self) -> &DocumentNumber {
        &self.number
    }

    /// The country that issued it.
    #[must_use]
    pub const fn issuing_country(&self) -> Country {
        self.issuing_country
    }

    /// The day on which it was issued.
    #[must_use]
    pub fn issued_on(&self) -> Option<Date> {
        self.issued_on.as_ref().map(|day| day.expose().0)
    }

    /// The last day on which it is valid; none where it does not expire, or was not told.
    #[must_use]
    pub fn expires_on(&self) -> Option<Date> {
        self.expires_on.as_ref().map(|day| day.expose().0)
    }

    /// The machine-readable zone.
    #[must_use]
    pub const fn mrz(&self) -> Option<&Mrz> {
        self.mrz.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn form() -> DocumentForm {
        DocumentForm {
            document_type: Some("passport".into()),
            number: Some("925076473".into()),
            issuing_country: Some("GB".into()),
            ..DocumentForm::default()
        }
    }

    fn faults(form: &DocumentForm) -> String {
        let parsed = IdentityDocument::parse(form, date(2026, 3, 15), "/identity_document");
        parsed.map_or_else(|faults| faults.to_string(), |_| String::new())
    }

    fn dates(issued_on: Option<&str>, expires_on: Option<&str>) -> String {
        let mut form = form();
        form.issued_on = issued_on.map(Into::into);
        form.expires_on = expires_on.map(Into::into);
        faults(&form)
    }

    #[test]
    fn an_expired_document_is_no_fault() {
        assert_eq!(dates(None, None), "");
        assert_eq!(dates(None, Some("1999-01-01")), "");
        assert_eq!(dates(Some("2026-03-15"), Some("2026-03-15")), "");
    }

    #[test]
    fn dates_that_cannot_be_are_faults() {
        assert_eq!(
            dates(Some("2026-03-16"), None),
            "/identity_document/issued_on: identity_document.issued_in_future"
        );
        assert_eq!(
            dates(Some("2020-01-02"), Some("2020-01-01")),
            "/identity_document/expires_on: identity_document.dates"
        );
        assert_eq!(
            dates(Some("x"), Some("2020-02-30")),
            "/identity_document/issued_on: date.invalid; /identity_document/expires_on: date.invalid"
        );
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        assert_eq!(
            faults(&DocumentForm::default()),
            "/identity_document/type: field.required; /identity_document/number: field.required; \
             /identity_document/issuing_country: field.required"
        );
        let mut bad = form();
        bad.document_type = Some("library_card".into());
        bad.number = Some("•••••6473".into());
        bad.mrz = Some(vec!["P<GBR".into()]);
        assert_eq!(
            faults(&bad),
            "/identity_document/type: document_type.unknown; /identity_document/number: field.masked; \
             /identity_document/mrz: mrz.invalid"
        );
    }

    #[test]
    fn numbers_hold_a_letter_or_a_digit() {
        for good in ["925076473", "A-1/2.3 B", "SPECI-REJECT", "x", &"9".repeat(40)] {
            assert_eq!(DocumentNumber::parse(good).unwrap().expose(), good);
        }
        for bad in ["", " ", "-", "../", "1_2", "L898902C3<", "№1", "1\t2", &*"9".repeat(41)] {
            assert_eq!(DocumentNumber::parse(bad).unwrap_err().code, "document_number.invalid", "{bad:?}");
        }
    }
}
