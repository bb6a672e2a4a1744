//! The rules that all free text shares: one Unicode form, no character that hides or reorders others.

mod letters;
mod search_form;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

pub use self::search_form::normalise_for_search;
use super::fault::Invalid;
use crate::Secret;

/// The character that stands in for a masked one in our answers (U+2022). No field accepts it, so that a
/// masked answer that is sent back can't overwrite the value.
pub const MASK: char = '\u{2022}';

/// What one field makes of the shared rules: its longest text and its own words for each refusal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    /// The longest text, in characters (Unicode scalar values) after NFC.
    pub(crate) max: usize,
    /// For characters that no text may hold.
    pub(crate) invalid: Invalid,
    /// For a text of which nothing can be seen.
    pub(crate) blank: Invalid,
    /// For a text of more than `max` characters.
    pub(crate) too_long: Invalid,
}

impl TextRule {
    /// The text in NFC and without spaces around it.
    pub(crate) fn parse(&self, raw: &str) -> Result<Secret<String>, Invalid> {
        refuse_masked(raw)?;
        if is_blank(raw) {
            return Err(self.blank);
        }
        if raw.chars().any(is_forbidden) {
            return Err(self.invalid);
        }
        let text = trimmed_nfc(raw);
        if text.expose().chars().count() > self.max {
            return Err(self.too_long);
        }
        Ok(text)
    }
}

/// Refuses a masked value, whatever the field.
///
/// # Errors
/// `field.masked` where the text holds U+2022.
pub fn refuse_masked(raw: &str) -> Result<(), Invalid> {
    if raw.contains(MASK) {
        return Err(Invalid::new(
            "field.masked",
            "this is a masked value; send the whole value, or leave the field out to keep it",
        ));
    }
    Ok(())
}

/// Whether nothing of the text can be seen: spaces of any script, and characters without a width.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether a character has no place in a text of one line: controls (category Cc), the line and
/// paragraph separators, the byte order mark, what overrides the direction of writing (UAX #9; "Trojan
/// Source", CVE-2021-42574), and the 66 noncharacters of the Unicode Standard, section 23.7.
#[must_use]
pub fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            | '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Characters that are there and show nothing: those of `Default_Ignorable_Code_Point` (UAX #44) that are
/// assigned, and the Braille pattern without a dot.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// NFC (UAX #15) without spaces around it. The buffer never grows, so that no copy stays behind in
/// memory: NFC takes at most three times the bytes.
pub(crate) fn trimmed_nfc(raw: &str) -> Secret<String> {
    let mut composed = String::with_capacity(raw.len().saturating_mul(3));
    composed.extend(raw.nfc());
    let text = Secret::new(composed.trim().to_owned());
    composed.zeroize();
    text
}

/// A document number as an exact search and the machine-readable zone compare it: capitals and digits.
///
/// ```
/// use kyc_core::domain::text::normalise_document_number;
/// assert_eq!(normalise_document_number("c01-x00 06h"), "C01X0006H");
/// ```
#[must_use]
pub fn normalise_document_number(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    out.extend(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()));
    out
}

/// Declares a personal text: its `Debug` is redacted, and it is overwritten when it goes.
macro_rules! secret_text {
    ($(#[$meta:meta])* pub struct $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name($crate::Secret<String>);

        impl $name {
            /// The text itself. Whoever calls this keeps it out of logs and errors.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// A value that was parsed once and comes back from where it was sealed.
            pub(crate) const fn trusted(text: String) -> Self {
                Self($crate::Secret::new(text))
            }
        }
    };
}

pub(crate) use secret_text;

/// Gives a compound of personal values a `Debug` that shows its type and nothing else.
macro_rules! redacted_debug {
    ($($name:ident),+ $(,)?) => { $(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )+ };
}

pub(crate) use redacted_debug;

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: TextRule = TextRule {
        max: 5,
        invalid: Invalid::new("t.invalid", "."),
        blank: Invalid::new("t.blank", "."),
        too_long: Invalid::new("t.too_long", "."),
    };

    fn check(raw: &str, expected: Result<&str, &str>) {
        let parsed = RULE.parse(raw);
        let seen = parsed.as_ref().map(|text| text.expose().as_str()).map_err(|invalid| invalid.code);
        assert_eq!(seen, expected, "{raw:?}");
    }

    #[test]
    fn text_is_composed_and_trimmed() {
        check(" Ada ", Ok("Ada"));
        check("\u{3000}Zoe\u{308}", Ok("Zo\u{eb}"));
        check("ע\u{200f}ד", Ok("ע\u{200f}ד"));
    }

    #[test]
    fn length_is_counted_in_characters_after_composition() {
        check("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}", Ok("ééééé"));
        check("日本語日本", Ok("日本語日本"));
        check("日本語日本語", Err("t.too_long"));
    }

    #[test]
    fn a_text_of_which_nothing_shows_is_blank() {
        for blank in [
            "",
            " ",
            "\u{a0}\u{2003}",
            "\u{200b}\u{200d}",
            "\t\n",
            "\u{feff}",
            "\u{3164}",
            "\u{2060} ",
            "\u{2800}",
        ] {
            check(blank, Err("t.blank"));
        }
    }

    #[test]
    fn characters_that_hide_or_reorder_are_refused() {
        for bad in [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{2028}',
            '\u{feff}',
            '\u{fdd0}',
            '\u{ffff}',
            '\u{1fffe}',
            '\u{10ffff}',
        ] {
            check(&format!("a{bad}b"), Err("t.invalid"));
            check(&format!("ab{bad}"), Err("t.invalid"));
        }
    }

    #[test]
    fn a_mask_anywhere_is_refused_first() {
        check("\u{2022}", Err("field.masked"));
        check("\n\u{2022}a•••••••", Err("field.masked"));
    }
}
