//! Countries: ISO 3166-1, and the codes of ICAO Doc 9303-3, section 5, that a document may bear instead.

use std::fmt;

use super::fault::Invalid;
use super::text::refuse_masked;

/// A country of ISO 3166-1, written as its alpha-2 code. Only codes that are assigned: not `XK`, which
/// the standard leaves to its users, nor reserved ones such as `UK`.
///
/// ```
/// use kyc_core::domain::country::Country;
/// let country = Country::parse("GB")?;
/// assert_eq!((country.as_str(), country.alpha3()), ("GB", "GBR"));
/// assert!(Country::parse("gb").is_err());
/// # Ok::<(), kyc_core::domain::fault::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country {
    // Both codes are kept, so that a stored country outlives its removal from the list.
    alpha2: [u8; 2],
    alpha3: [u8; 3],
}

impl Country {
    /// Reads an alpha-2 code in capitals.
    ///
    /// # Errors
    /// `country.unknown`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        let unknown = Invalid::new(
            "country.unknown",
            "a country as two capitals of ISO 3166-1 is expected, such as GB",
        );
        if text.len() != 2 || !is_capitals(text) {
            return Err(unknown);
        }
        celes::Country::from_alpha2(text).ok().and_then(Self::assigned).ok_or(unknown)
    }

    /// Every country that has a code now.
    pub fn all() -> impl Iterator<Item = Self> {
        celes::Country::get_countries().into_iter().filter_map(Self::assigned)
    }

    /// The country of an alpha-3 code, or of one that ICAO Doc 9303-3 uses for the same country (`D`,
    /// `GBN` …). None where the code names no country: an organisation, a stateless person, the specimen.
    #[must_use]
    pub fn from_alpha3(code: &str) -> Option<Self> {
        match IcaoState::of(code) {
            IcaoState::Country(country) => Some(country),
            IcaoState::NoCountry | IcaoState::Unspecified | IcaoState::Unknown => None,
        }
    }

    /// The alpha-2 code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.alpha2).unwrap_or_default()
    }

    /// The alpha-3 code.
    #[must_use]
    pub fn alpha3(&self) -> &str {
        std::str::from_utf8(&self.alpha3).unwrap_or_default()
    }

    fn assigned(found: celes::Country) -> Option<Self> {
        if found.alpha2 == "XK" {
            return None;
        }
        Self::trusted(found.alpha2, found.alpha3)
    }

    /// A country that was parsed once; only the form is looked at.
    pub(crate) fn trusted(alpha2: &str, alpha3: &str) -> Option<Self> {
        let formed = is_capitals(alpha2) && is_capitals(alpha3);
        let alpha2 = alpha2.as_bytes().try_into().ok()?;
        let alpha3 = alpha3.as_bytes().try_into().ok()?;
        formed.then_some(Self { alpha2, alpha3 })
    }
}

fn is_capitals(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_uppercase())
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({})", self.as_str())
    }
}

/// What a state code of a machine-readable zone says (ICAO Doc 9303-3, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcaoState {
    /// A country of ISO 3166-1.
    Country(Country),
    /// A code of ICAO's that stands for no such country: an organisation (`UNO`, `EUE`, `XOM` …), a person
    /// without a nationality (`XXA` to `XXC`), Kosovo (`RKS`, `UNK`, `XKX`), the specimen Utopia (`UTO`).
    NoCountry,
    /// `XXX`: the zone leaves it open.
    Unspecified,
    /// A code that we don't know.
    Unknown,
}

/// The codes of persons with a special status under the United Kingdom.
const BRITISH: [&str; 5] = ["GBD", "GBN", "GBO", "GBP", "GBS"];

/// The codes of organisations, of persons without a nationality and of other authorities.
const NO_COUNTRY: [&str; 22] = [
    "EUE", "IAO", "RKS", "UNA", "UNK", "UNO", "UTO", "XBA", "XCC", "XCE", "XCO", "XDC", "XEC", "XES", "XIM",
    "XKX", "XMP", "XOM", "XPO", "XXA", "XXB", "XXC",
];

impl IcaoState {
    /// Reads a code of three places, with or without the fillers after it.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let code = code.trim_end_matches('<');
        let alpha3 = match code {
            "XXX" => return Self::Unspecified,
            // Germany uses one letter in its zones and DEU nowhere.
            "D" => "DEU",
            british if BRITISH.contains(&british) => "GBR",
            other if NO_COUNTRY.contains(&other) => return Self::NoCountry,
            other => other,
        };
        let known =
            (alpha3.len() == 3 && is_capitals(alpha3)).then(|| celes::Country::from_alpha3(alpha3).ok());
        known.flatten().and_then(Country::assigned).map_or(Self::Unknown, Self::Country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assigned_code_and_no_other_is_a_country() {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|a| letters().map(move |b| String::from_utf8(vec![a, b]).unwrap()));
        let known: Vec<_> = codes.filter_map(|code| Country::parse(&code).ok()).collect();
        // ISO 3166-1 has assigned 249 codes since 2011.
        assert_eq!(known.len(), 249);
        let mut all: Vec<_> = Country::all().collect();
        all.sort_unstable();
        assert_eq!(all, known);
        for country in known {
            assert_eq!(Country::from_alpha3(country.alpha3()), Some(country));
            assert_eq!(Country::trusted(country.as_str(), country.alpha3()), Some(country));
        }
    }

    #[test]
    fn other_spellings_are_unknown() {
        for bad in ["", "gb", "Gb", "GBR", "UK", "XK", "EU", "ZZ", " GB", "ÄÖ", "826", "Germany"] {
            assert_eq!(Country::parse(bad).unwrap_err().code, "country.unknown", "{bad}");
        }
        assert_eq!(Country::parse("••").unwrap_err().code, "field.masked");
    }

    #[test]
    fn codes_of_the_zone_name_their_country_or_none() {
        let country = |code| IcaoState::Country(Country::parse(code).unwrap());
        for (code, state) in [
            ("D<<", country("DE")),
            ("D", country("DE")),
            ("DEU", country("DE")),
            ("GBR", country("GB")),
            ("GBD", country("GB")),
            ("GBS", country("GB")),
            ("CHE", country("CH")),
            ("UTO", IcaoState::NoCountry),
            ("RKS", IcaoState::NoCountry),
            ("XKX", IcaoState::NoCountry),
            ("XXA", IcaoState::NoCountry),
            ("UNO", IcaoState::NoCountry),
            ("XXX", IcaoState::Unspecified),
            ("<<<", IcaoState::Unknown),
            ("ZZZ", IcaoState::Unknown),
            ("GB<", IcaoState::Unknown),
            ("", IcaoState::Unknown),
        ] {
            assert_eq!(IcaoState::of(code), state, "{code}");
        }
    }
}
