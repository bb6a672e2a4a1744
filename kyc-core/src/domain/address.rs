//! A postal address.

use super::country::Country;
use super::customer::{AddressForm, Reading};
use super::fault::{Faults, Invalid};
use super::text::{TextRule, redacted_debug, refuse_masked, secret_text};

secret_text! {
    /// A line, a city or a region of an address: 1 to 200 characters of any script.
    pub struct AddressLine
}

const LINE: TextRule = TextRule {
    max: AddressLine::MAX_LENGTH,
    invalid: Invalid::new("address.invalid", "a text without control characters is expected"),
    blank: Invalid::new(
        "address.blank",
        "a text is expected; leave an optional field out instead of sending it blank",
    ),
    too_long: Invalid::new("address.too_long", "a text of at most 200 characters is expected"),
};

impl AddressLine {
    /// The longest line, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// Reads a line.
    ///
    /// # Errors
    /// `address.blank`, `address.invalid` (characters), `address.too_long`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        LINE.parse(text).map(Self)
    }
}

secret_text! {
    /// A postal code: 1 to 20 letters, digits, spaces and hyphens. Its form is each country's own (UPU S42),
    /// and some 60 countries have none.
    pub struct PostalCode
}

impl PostalCode {
    /// The longest code, in characters.
    pub const MAX_LENGTH: usize = 20;

    /// Reads a code.
    ///
    /// # Errors
    /// `postal_code.invalid`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        let code = text.trim_matches(' ');
        let formed = (1..=Self::MAX_LENGTH).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-'))
            && code.bytes().any(|b| b.is_ascii_alphanumeric());
        if formed {
            Ok(Self::trusted(code.to_owned()))
        } else {
            Err(Invalid::new(
                "postal_code.invalid",
                "1 to 20 letters, digits, spaces and hyphens are expected",
            ))
        }
    }
}

/// Where a person lives.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) line1: AddressLine,
    pub(crate) line2: Option<AddressLine>,
    pub(crate) city: AddressLine,
    pub(crate) region: Option<AddressLine>,
    pub(crate) postal_code: Option<PostalCode>,
    pub(crate) country: Country,
}

redacted_debug!(Address);

impl Address {
    /// Reads an address; faults point below `at`, such as `/address`.
    ///
    /// # Errors
    /// Every fault of every field.
    pub fn parse(form: &AddressForm, at: &str) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let line1 = faults.required(&format!("{at}/line1"), form.line1.as_ref(), AddressLine::parse);
        let line2 = faults.optional(&format!("{at}/line2"), form.line2.as_ref(), AddressLine::parse);
        let city = faults.required(&format!("{at}/city"), form.city.as_ref(), AddressLine::parse);
        let region = faults.optional(&format!("{at}/region"), form.region.as_ref(), AddressLine::parse);
        let postal_code =
            faults.optional(&format!("{at}/postal_code"), form.postal_code.as_ref(), PostalCode::parse);
        let country = faults.required(&format!("{at}/country"), form.country.as_ref(), Country::parse);
        match (line1, city, country) {
            (Some(line1), Some(city), Some(country)) if faults.is_empty() => {
                Ok(Self { line1, line2, city, region, postal_code, country })
            }
            _ => Err(faults),
        }
    }

    /// The first line.
    #[must_use]
    pub const fn line1(&self) -> &AddressLine {
        &self.line1
    }

    /// The second line.
    #[must_use]
    pub const fn line2(&self) -> Option<&AddressLine> {
        self.line2.as_ref()
    }

    /// The city.
    #[must_use]
    pub const fn city(&self) -> &AddressLine {
        &self.city
    }

    /// The region, county or state.
    #[must_use]
    pub const fn region(&self) -> Option<&AddressLine> {
        self.region.as_ref()
    }

    /// The postal code.
    #[must_use]
    pub const fn postal_code(&self) -> Option<&PostalCode> {
        self.postal_code.as_ref()
    }

    /// The country of residence.
    #[must_use]
    pub const fn country(&self) -> Country {
        self.country
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(line1: &str, city: &str, postal_code: Option<&str>, country: &str) -> AddressForm {
        AddressForm {
            line1: Some(line1.into()),
            city: Some(city.into()),
            postal_code: postal_code.map(Into::into),
            country: Some(country.into()),
            ..AddressForm::default()
        }
    }

    fn faults(form: &AddressForm) -> String {
        Address::parse(form, "/address").map_or_else(|faults| faults.to_string(), |_| String::new())
    }

    #[test]
    fn an_address_needs_no_postal_code() {
        let address = Address::parse(&form(" 12 Main St ", "Hong Kong", None, "HK"), "/address").unwrap();
        assert_eq!(address.line1().expose(), "12 Main St");
        assert_eq!(address.country().as_str(), "HK");
        assert_eq!(format!("{address:?}"), "Address(redacted)");
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        assert_eq!(
            faults(&AddressForm::default()),
            "/address/line1: field.required; /address/city: field.required; /address/country: field.required"
        );
        assert_eq!(
            faults(&form(" ", &"x".repeat(201), Some("1;2"), "XX")),
            "/address/line1: address.blank; /address/city: address.too_long; \
             /address/postal_code: postal_code.invalid; /address/country: country.unknown"
        );
        assert_eq!(
            faults(&form("••• Main", "a\u{1b}b", Some("SW1Y 4JH"), "GB")),
            "/address/line1: field.masked; /address/city: address.invalid"
        );
    }

    #[test]
    fn postal_codes_are_of_letters_digits_spaces_and_hyphens() {
        for good in ["SW1Y 4JH", "10115", "00-950", "L-1234", "1", &"9".repeat(20)] {
            assert_eq!(PostalCode::parse(good).unwrap().expose(), good);
        }
        for bad in ["", " ", "-", "1_2", "東京", &*"9".repeat(21), "1\n2"] {
            assert_eq!(PostalCode::parse(bad).unwrap_err().code, "postal_code.invalid", "{bad:?}");
        }
    }
}
