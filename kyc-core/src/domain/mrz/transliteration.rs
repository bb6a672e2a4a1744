//! How a letter is written in a zone, which knows only A to Z (ICAO Doc 9303-3, section 6).
//!
//! For many letters the standard leaves a choice to the issuing state, and for Cyrillic the language
//! decides. So this gives every spelling that a state may choose, and whoever compares tries them all.

use mrz::{CyrillicLanguage, transliterate_cyrillic_char, transliterations};
use unicode_normalization::UnicodeNormalization;

const LANGUAGES: [CyrillicLanguage; 6] = [
    CyrillicLanguage::Russian,
    CyrillicLanguage::Belarusian,
    CyrillicLanguage::Bulgarian,
    CyrillicLanguage::Serbian,
    CyrillicLanguage::Ukrainian,
    CyrillicLanguage::Macedonian,
];

/// How one letter may be spelt in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelling {
    /// One of these, each of A to Z and 0 to 9.
    OneOf(Vec<&'static str>),
    /// The letter itself.
    Same(char),
    /// Nothing: apostrophes and other punctuation are left out (section 4.6), and so is the soft sign.
    Nothing,
    /// A filler: where one part of a name ends and the next begins.
    Gap,
    /// The standard has no rule for this character.
    NoRule,
}

/// The spellings of one upper-case character; `first` where it begins a part of a name, which matters
/// in Ukrainian.
///
/// ```
/// use kyc_core::domain::mrz::transliteration::{Spelling, spelling};
/// assert_eq!(spelling('Ü', false), Spelling::OneOf(vec!["UE", "UXX", "U"]));
/// assert_eq!(spelling('Щ', false), Spelling::OneOf(vec!["SHCH", "SHT"]));
/// ```
#[must_use]
pub fn spelling(c: char, first: bool) -> Spelling {
    match c {
        'A'..='Z' | '0'..='9' => return Spelling::Same(c),
        // Letters to Unicode: the apostrophes of Polynesian and Ukrainian names, and the soft sign.
        '\u{02BB}' | '\u{02BC}' | '\u{042C}' => return Spelling::Nothing,
        '-' | '\u{2010}'..='\u{2015}' | ',' | '/' | '\u{30FB}' => return Spelling::Gap,
        // Ћ and Ѓ are missing from the table; these are the spellings of their Latin twins Ć and Ǵ.
        '\u{040B}' => return Spelling::OneOf(vec!["C"]),
        '\u{0403}' => return Spelling::OneOf(vec!["G", "GJ"]),
        // The table has OE alone; a state whose language lacks the letter writes O.
        '\u{00D8}' => return Spelling::OneOf(vec!["OE", "O"]),
        _ => {}
    }
    if c.is_whitespace() {
        return Spelling::Gap;
    }
    let latin = transliterations(c);
    if !latin.is_empty() {
        return Spelling::OneOf(latin.to_vec());
    }
    let mut cyrillic = Vec::new();
    for language in LANGUAGES {
        if let Some(spelt) = transliterate_cyrillic_char(c, language, first)
            && !cyrillic.contains(&spelt)
        {
            cyrillic.push(spelt);
        }
    }
    if cyrillic.is_empty() { base_letter(c) } else { Spelling::OneOf(cyrillic) }
}

/// Letters that the table leaves out lose their accents, as Vietnamese ones do: ễ is E.
fn base_letter(c: char) -> Spelling {
    if unicode_normalization::char::is_combining_mark(c) {
        return Spelling::Nothing;
    }
    let mut letters =
        std::iter::once(c).nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    match (letters.next(), letters.next()) {
        (Some(base @ ('A'..='Z' | '0'..='9')), None) => Spelling::Same(base),
        _ if c.is_alphanumeric() => Spelling::NoRule,
        _ => Spelling::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_those_of_the_standard() {
        for (c, expected) in [
            ('Ä', vec!["AE", "A"]),
            ('Å', vec!["AA", "A"]),
            ('Æ', vec!["AE"]),
            ('Ñ', vec!["N", "NXX"]),
            ('Ö', vec!["OE", "O"]),
            ('Þ', vec!["TH"]),
            ('Ð', vec!["D"]),
            ('\u{1E9E}', vec!["SS"]),
            ('Ł', vec!["L"]),
            ('Ж', vec!["ZH", "Z"]),
            ('Ц', vec!["TS", "C"]),
        ] {
            assert_eq!(spelling(c, false), Spelling::OneOf(expected), "{c}");
        }
        assert_eq!(spelling('Ю', true), Spelling::OneOf(vec!["IU", "YU"]));
        assert_eq!(spelling('Ю', false), Spelling::OneOf(vec!["IU"]));
    }

    #[test]
    fn other_characters_are_letters_gaps_or_nothing() {
        assert_eq!(spelling('Ễ', false), Spelling::Same('E'));
        assert_eq!(spelling('Ơ', false), Spelling::Same('O'));
        assert_eq!(spelling('-', false), Spelling::Gap);
        assert_eq!(spelling('\u{2019}', false), Spelling::Nothing);
        assert_eq!(spelling('\u{0301}', false), Spelling::Nothing);
        assert_eq!(spelling('(', false), Spelling::Nothing);
        assert_eq!(spelling('李', false), Spelling::NoRule);
        assert_eq!(spelling('م', false), Spelling::NoRule);
    }
}
