//! What policies may ask for besides: consents, tax ids, gender, nationalities, place of birth.

use jiff::Timestamp;

use super::country::Country;
use super::customer::{ConsentForm, Reading, TaxIdForm};
use super::fault::{Faults, Invalid};
use super::text::{TextRule, redacted_debug, refuse_masked, secret_text};
use super::words::words;
use crate::Secret;

words! {
    /// The sex as travel documents state it (ICAO Doc 9303-4): F, M or X.
    pub enum Gender, "gender" {
        /// `F`.
        Female = "female",
        /// `M`.
        Male = "male",
        /// `X`, which a machine-readable zone shows as `<`: not stated, or neither.
        X = "x",
    }
}

impl Gender {
    /// Reads the word.
    ///
    /// # Errors
    /// `gender.unknown`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        text.parse().map_err(|_| Invalid::new("gender.unknown", "female, male or x is expected"))
    }
}

secret_text! {
    /// A place of birth, as the document states it: 1 to 200 characters of any script.
    pub struct PlaceOfBirth
}

const PLACE: TextRule = TextRule {
    max: PlaceOfBirth::MAX_LENGTH,
    invalid: Invalid::new("place_of_birth.invalid", "a text without control characters is expected"),
    blank: Invalid::new(
        "place_of_birth.blank",
        "a place is expected; leave the field out instead of sending it blank",
    ),
    too_long: Invalid::new("place_of_birth.too_long", "a text of at most 200 characters is expected"),
};

impl PlaceOfBirth {
    /// The longest text, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// Reads a place.
    ///
    /// # Errors
    /// `place_of_birth.blank`, `.invalid` (characters), `.too_long`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        PLACE.parse(text).map(Self)
    }
}

/// The countries that a person is a national of; none where nothing was declared.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Nationalities(Vec<Country>);

redacted_debug!(Nationalities);

impl Nationalities {
    /// The longest list.
    pub const MAX: usize = 10;

    /// Reads a list of alpha-2 codes; faults point below `at`, such as `/nationalities/0`.
    ///
    /// # Errors
    /// `nationalities.too_many`, and for each entry `country.unknown`, `nationalities.repeated`, `field.masked`.
    pub fn parse(codes: &[Secret<String>], at: &str) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut countries = Vec::new();
        if codes.len() > Self::MAX {
            faults.add(at, "nationalities.too_many", "at most 10 nationalities are expected");
        }
        for (index, code) in codes.iter().enumerate().take(Self::MAX) {
            let pointer = format!("{at}/{index}");
            if let Some(country) = faults.take(&pointer, Country::parse(code.expose())) {
                if countries.contains(&country) {
                    faults.add(pointer, "nationalities.repeated", "each country is expected once");
                }
                countries.push(country);
            }
        }
        if faults.is_empty() { Ok(Self(countries)) } else { Err(faults) }
    }

    /// The countries, in the order that was declared.
    #[must_use]
    pub fn as_slice(&self) -> &[Country] {
        &self.0
    }

    /// Whether none was declared.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn trusted(countries: Vec<Country>) -> Self {
        Self(countries)
    }
}

secret_text! {
    /// The number of a tax id: 1 to 40 letters, digits, spaces and `-./+`, among them a letter or a digit.
    pub struct TaxNumber
}

impl TaxNumber {
    /// The longest number, in characters.
    pub const MAX_LENGTH: usize = 40;

    /// Reads a number.
    ///
    /// # Errors
    /// `tax_id.invalid`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        let number = text.trim_matches(' ');
        let formed = (1..=Self::MAX_LENGTH).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./+".contains(&b))
            && number.bytes().any(|b| b.is_ascii_alphanumeric());
        if formed {
            Ok(Self::trusted(number.to_owned()))
        } else {
            Err(Invalid::new("tax_id.invalid", "1 to 40 letters, digits, spaces and - . / + are expected"))
        }
    }
}

/// A tax identification number, and the country that gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct TaxId {
    pub(crate) country: Country,
    pub(crate) number: TaxNumber,
}

redacted_debug!(TaxId);

impl TaxId {
    /// The most tax ids of one person.
    pub const MAX: usize = 10;

    /// Reads a tax id; faults point below `at`, such as `/tax_ids/0`.
    ///
    /// # Errors
    /// Every fault of both fields.
    pub fn parse(form: &TaxIdForm, at: &str) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let country = faults.required(&format!("{at}/country"), form.country.as_ref(), Country::parse);
        let number = faults.required(&format!("{at}/number"), form.number.as_ref(), TaxNumber::parse);
        match (country, number) {
            (Some(country), Some(number)) => Ok(Self { country, number }),
            (None, _) | (_, None) => Err(faults),
        }
    }

    /// The country that gave it.
    #[must_use]
    pub const fn country(&self) -> Country {
        self.country
    }

    /// The number.
    #[must_use]
    pub const fn number(&self) -> &TaxNumber {
        &self.number
    }
}

/// A consent that a person gave: to what, when, and in which version of its text (GDPR article 7(1)). It
/// holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    pub(crate) purpose: String,
    pub(crate) given_at: Timestamp,
    pub(crate) text_version: String,
}

impl Consent {
    /// The most consents of one person.
    pub const MAX: usize = 50;
    /// The longest purpose and the longest version, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Reads a consent, as of `now`; faults point below `at`, such as `/consents/0`.
    ///
    /// # Errors
    /// `consent.purpose` (1 to 64 of `a-z0-9_`), `consent.given_at` (RFC 3339), `consent.future`,
    /// `consent.text_version` (1 to 64 of visible ASCII), `field.required`, `field.masked`.
    pub fn parse(form: &ConsentForm, now: Timestamp, at: &str) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let purpose = faults.required(&format!("{at}/purpose"), form.purpose.as_ref(), read_purpose);
        let given_at = faults
            .required(&format!("{at}/given_at"), form.given_at.as_ref(), |text| read_given_at(text, now));
        let text_version =
            faults.required(&format!("{at}/text_version"), form.text_version.as_ref(), read_text_version);
        match (purpose, given_at, text_version) {
            (Some(purpose), Some(given_at), Some(text_version)) => {
                Ok(Self { purpose, given_at, text_version })
            }
            _ => Err(faults),
        }
    }

    /// What was consented to.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// When the consent was given.
    #[must_use]
    pub const fn given_at(&self) -> Timestamp {
        self.given_at
    }

    /// The version of the text that was shown.
    #[must_use]
    pub fn text_version(&self) -> &str {
        &self.text_version
    }
}

fn read_purpose(text: &str) -> Result<String, Invalid> {
    refuse_masked(text)?;
    let formed = (1..=Consent::MAX_LENGTH).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    formed
        .then(|| text.to_owned())
        .ok_or(Invalid::new("consent.purpose", "1 to 64 of a-z 0-9 _ are expected"))
}

fn read_text_version(text: &str) -> Result<String, Invalid> {
    refuse_masked(text)?;
    let formed =
        (1..=Consent::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    formed
        .then(|| text.to_owned())
        .ok_or(Invalid::new("consent.text_version", "1 to 64 visible ASCII characters are expected"))
}

fn read_given_at(text: &str, now: Timestamp) -> Result<Timestamp, Invalid> {
    refuse_masked(text)?;
    let wanted =
        Invalid::new("consent.given_at", "a time of RFC 3339 is expected, such as 2026-01-31T09:30:00Z");
    // The date crate also reads ISO 8601's other forms and zones in brackets; the contract knows one form.
    let bytes = text.as_bytes();
    let formed = (20..=35).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_digit() || b"-:.+TZtz".contains(b))
        && bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.get(4) == Some(&b'-')
        && bytes.get(10).is_some_and(|b| b.eq_ignore_ascii_case(&b'T'))
        && bytes.get(13) == Some(&b':')
        && bytes.get(16) == Some(&b':');
    let given_at: Timestamp = if formed { text.parse().map_err(|_| wanted)? } else { return Err(wanted) };
    if given_at > now {
        return Err(Invalid::new("consent.future", "a time that is not in the future is expected"));
    }
    Ok(given_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-15T12:00:00Z".parse().unwrap()
    }

    fn consent(purpose: &str, given_at: &str, text_version: &str) -> String {
        let form = ConsentForm {
            purpose: Some(purpose.into()),
            given_at: Some(given_at.into()),
            text_version: Some(text_version.into()),
        };
        Consent::parse(&form, now(), "/consents/0")
            .map_or_else(|faults| faults.to_string(), |_| String::new())
    }

    #[test]
    fn a_consent_is_a_purpose_a_past_time_and_a_version() {
        for time in ["2026-03-15T12:00:00Z", "2026-03-15t14:00:00.123+02:30", "2020-02-29T00:00:00-00:00"] {
            assert_eq!(consent("data_processing", time, "2026-01"), "", "{time}");
        }
        for time in [
            "",
            "2026-03-15",
            "2026-03-15 11:00:00Z",
            "2026-03-15T11:00Z",
            "20260315T110000Z",
            "2026-03-15T11:00:00",
            "2026-03-15T11:00:00Z[Europe/Berlin]",
            "2026-02-30T11:00:00Z",
        ] {
            assert_eq!(consent("p", time, "1"), "/consents/0/given_at: consent.given_at", "{time}");
        }
        assert_eq!(consent("p", "2026-03-15T12:00:01Z", "1"), "/consents/0/given_at: consent.future");
        assert_eq!(
            consent("Marketing", "•", "v 1"),
            "/consents/0/purpose: consent.purpose; /consents/0/given_at: field.masked; \
             /consents/0/text_version: consent.text_version"
        );
    }

    #[test]
    fn nationalities_are_up_to_ten_countries_and_each_once() {
        let parse = |codes: &[&str]| {
            let codes: Vec<_> = codes.iter().map(|code| (*code).into()).collect();
            Nationalities::parse(&codes, "/nationalities").map_err(|faults| faults.to_string())
        };
        assert_eq!(parse(&["GB", "FR"]).unwrap().as_slice().len(), 2);
        assert!(parse(&[]).unwrap().is_empty());
        assert_eq!(
            parse(&["GB", "XK", "GB"]).unwrap_err(),
            "/nationalities/1: country.unknown; /nationalities/2: nationalities.repeated"
        );
        let eleven = ["AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS"];
        assert_eq!(parse(&eleven).unwrap_err(), "/nationalities: nationalities.too_many");
    }

    #[test]
    fn a_tax_id_has_a_country_and_a_number() {
        let parse = |country: &str, number: &str| {
            let form = TaxIdForm { country: Some(country.into()), number: Some(number.into()) };
            TaxId::parse(&form, "/tax_ids/0").map_err(|faults| faults.to_string())
        };
        assert_eq!(parse("DE", "86 095 742 719").unwrap().number().expose(), "86 095 742 719");
        assert_eq!(
            parse("de", "?").unwrap_err(),
            "/tax_ids/0/country: country.unknown; /tax_ids/0/number: tax_id.invalid"
        );
        assert_eq!(format!("{:?}", parse("DE", "1").unwrap()), "TaxId(redacted)");
    }

    #[test]
    fn gender_is_one_of_three_words() {
        assert_eq!(Gender::parse("x"), Ok(Gender::X));
        assert_eq!(Gender::parse("F").unwrap_err().code, "gender.unknown");
        assert_eq!(Gender::parse("•").unwrap_err().code, "field.masked");
    }
}
