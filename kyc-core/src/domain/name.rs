//! A person's name, in any script.

use super::fault::Invalid;
use super::text::{TextRule, secret_text};

secret_text! {
    /// A person's whole name: 1 to 200 characters of any script, in NFC. Nothing is presumed of its parts
    /// or their order; a single name is a name.
    ///
    /// ```
    /// use kyc_core::domain::name::PersonName;
    /// assert_eq!(PersonName::parse(" Ada Lovelace ")?.expose(), "Ada Lovelace");
    /// assert_eq!(PersonName::parse("\u{2022}\u{2022}").unwrap_err().code, "field.masked");
    /// # Ok::<(), kyc_core::domain::fault::Invalid>(())
    /// ```
    pub struct PersonName
}

const RULE: TextRule = TextRule {
    max: PersonName::MAX_LENGTH,
    invalid: Invalid::new("name.invalid", "a name without control characters is expected"),
    blank: Invalid::new("name.blank", "a name is expected, and nothing of this one can be seen"),
    too_long: Invalid::new("name.too_long", "a name of at most 200 characters is expected"),
};

impl PersonName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// Reads a name.
    ///
    /// # Errors
    /// `name.blank`, `name.invalid` (characters), `name.too_long`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        RULE.parse(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_are_names() {
        for good in
            ["Ada Lovelace", "Suharto", "李小龍", "محمد", "O'Connor-Smith", "नरेन्द्र", "X", "Nguyễn Văn A"]
        {
            assert_eq!(PersonName::parse(good).unwrap().expose(), good);
        }
        assert!(PersonName::parse(&"ж".repeat(200)).is_ok());
    }

    #[test]
    fn each_refusal_has_its_code() {
        for (bad, code) in [
            ("", "name.blank"),
            ("\u{3000}", "name.blank"),
            ("Ada\u{7}", "name.invalid"),
            ("Ada\n", "name.invalid"),
            ("\u{202e}Ada", "name.invalid"),
            (&*"ж".repeat(201), "name.too_long"),
            ("A•• L•••••••", "field.masked"),
        ] {
            assert_eq!(PersonName::parse(bad).unwrap_err().code, code, "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_name() {
        assert_eq!(format!("{:?}", PersonName::parse("Ada").unwrap()), "PersonName(Secret(redacted))");
    }
}
