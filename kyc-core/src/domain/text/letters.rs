//! Letters in the alphabet of a machine-readable zone: one spelling of each, unlike
//! [`transliteration`](crate::domain::mrz::transliteration), which has all that a zone may bear.

use mrz::{CyrillicLanguage, transliterate_cyrillic_char, transliterations};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use zeroize::Zeroizing;

/// Writes the letters and digits of a text, which is in capitals and NFKC, to the end of `out`.
pub(super) fn spell(capitals: &str, out: &mut String) {
    let mut letters = Zeroizing::new(Vec::with_capacity(capitals.len()));
    letters.extend(capitals.chars());
    let language = language_of(&letters);
    let mut rest = letters.as_slice();
    let mut before = None;
    while let [c, behind @ ..] = rest {
        let taken = if let Some((spelt, taken)) = greek(before, rest) {
            out.push_str(spelt);
            taken
        } else {
            spell_one(*c, behind, language, out);
            1
        };
        before = rest.get(taken - 1).copied();
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// Writes one character. What no table has is written without its accents.
fn spell_one(c: char, behind: &[char], language: CyrillicLanguage, out: &mut String) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else if let Some(spelt) = in_a_table(c, behind, language) {
        out.push_str(spelt);
    } else {
        for part in std::iter::once(c).nfd() {
            if let Some(spelt) = in_a_table(part, behind, language) {
                out.push_str(spelt);
            } else if is_kept(part) {
                out.push(part);
            }
        }
    }
}

fn in_a_table(c: char, behind: &[char], language: CyrillicLanguage) -> Option<&'static str> {
    transliterations(c).first().copied().or_else(|| cyrillic(c, language)).or_else(|| arabic(c, behind))
}

/// Letters, digits, and marks that make another letter: canonical combining classes 7 to 9 (nukta, voicing, virama)
/// and 84 to 199 (vowel signs and tones; Unicode Standard, section 4.3). Accents and points have other classes. What
/// Unicode calls modifier letters are apostrophes, and marks of stress and tone.
fn is_kept(c: char) -> bool {
    let is_letter = c.is_alphanumeric() && !matches!(c, '\u{02B9}'..='\u{02FF}' | '\u{A78B}' | '\u{A78C}');
    !is_accent(c) && (is_letter || matches!(canonical_combining_class(c), 7..=9 | 84..=199))
}

/// Class 1 are strokes through a letter, 10 to 36 the points of Hebrew, Arabic and Syriac, 200 and more the accents
/// above and below.
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..=255)
}

/// The language of a name in Cyrillic, by letters that no other one of the standard has.
fn language_of(capitals: &[char]) -> CyrillicLanguage {
    let has = |letters: &[char]| capitals.iter().any(|c| letters.contains(c));
    if has(&['Ў']) {
        CyrillicLanguage::Belarusian
    } else if has(&['І', 'Ї', 'Є', 'Ґ']) {
        CyrillicLanguage::Ukrainian
    } else if has(&['Ѓ', 'Ќ', 'Ѕ']) {
        CyrillicLanguage::Macedonian
    } else if has(&['Ђ', 'Ћ', 'Ј', 'Љ', 'Њ', 'Џ']) {
        CyrillicLanguage::Serbian
    } else {
        CyrillicLanguage::Russian
    }
}

/// ICAO Doc 9303-3, section 6 B. What begins a word in Ukrainian differs from the rest by Y for I alone, which are
/// made one later.
fn cyrillic(c: char, language: CyrillicLanguage) -> Option<&'static str> {
    match c {
        // Ћ and Ѓ are missing from the table; these are the spellings of their Latin twins Ć and Ǵ.
        'Ћ' => Some("C"),
        'Ѓ' if language == CyrillicLanguage::Macedonian => Some("GJ"),
        'Ѓ' => Some("G"),
        // The standard has H; Serbian passports bear the Latin spelling, which is G.
        'Г' if language == CyrillicLanguage::Serbian => Some("G"),
        // The soft sign is left out.
        'Ь' => Some(""),
        _ => transliterate_cyrillic_char(c, language, false),
    }
}

/// A letter of Greek, and whether a diaeresis sets it apart from the one before.
fn greek_letter(c: char) -> Option<(char, bool)> {
    if !matches!(c, '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}') {
        return None;
    }
    let mut parts = std::iter::once(c).nfd();
    let letter = parts.next().filter(|letter| matches!(letter, 'Α'..='Ω'))?;
    Some((letter, parts.any(|mark| mark == '\u{0308}')))
}

/// The spelling of what begins with a Greek letter, and how many letters it takes (ISO 843, type 2).
fn greek(before: Option<char>, letters: &[char]) -> Option<(&'static str, usize)> {
    let at = |n: usize| letters.get(n).copied().and_then(greek_letter);
    let (first, _) = at(0)?;
    let begins = before.is_none_or(|c| greek_letter(c).is_none());
    let (next, behind) = (at(1).filter(|(_, apart)| !apart).map(|(letter, _)| letter), at(2));
    // Before vowels and voiced consonants.
    let voiced = behind.is_some_and(|(letter, _)| "ΑΕΗΙΟΥΩΒΓΔΖΛΜΝΡ".contains(letter));
    let pair = match (first, next) {
        ('Α', Some('Υ')) => Some(if voiced { "AV" } else { "AF" }),
        ('Ε', Some('Υ')) => Some(if voiced { "EV" } else { "EF" }),
        ('Η', Some('Υ')) => Some(if voiced { "IV" } else { "IF" }),
        ('Ο', Some('Υ')) => Some("OU"),
        ('Γ', Some('Γ')) => Some("NG"),
        ('Γ', Some('Ξ')) => Some("NX"),
        ('Γ', Some('Χ')) => Some("NCH"),
        ('Μ', Some('Π')) if begins || behind.is_none() => Some("B"),
        (_, _) => None,
    };
    pair.map(|spelt| (spelt, 2)).or_else(|| Some((greek_alone(first)?, 1)))
}

fn greek_alone(letter: char) -> Option<&'static str> {
    const ALONE: [&str; 25] = [
        "A", "V", "G", "D", "E", "Z", "I", "TH", "I", "K", "L", "M", "N", "X", "O", "P", "R", "", "S", "T",
        "Y", "F", "CH", "PS", "O",
    ];
    let at = u32::from(letter).checked_sub(u32::from('Α'))?;
    ALONE.get(usize::try_from(at).ok()?).copied()
}

/// ICAO Doc 9303-3, section 6 C, but for letters that lose a hamza or a madda as others lose accents. Shadda, which
/// would double a letter and is seldom written, is left out as vowels are.
fn arabic(c: char, behind: &[char]) -> Option<&'static str> {
    Some(match c {
        'ء' => "XE",
        'ا' => "A",
        'ب' => "B",
        'ة' if ends_part(behind) => "XAH",
        'ة' => "XTA",
        'ت' => "T",
        'ث' => "XTH",
        'ج' => "J",
        'ح' => "XH",
        'خ' => "XKH",
        'د' => "D",
        'ذ' => "XDH",
        'ر' => "R",
        'ز' => "Z",
        'س' => "S",
        'ش' => "XSH",
        'ص' => "XSS",
        'ض' => "XDZ",
        'ط' => "XTT",
        'ظ' => "XZZ",
        'ع' => "E",
        'غ' => "G",
        // The stroke that makes a word longer, and is no letter.
        '\u{0640}' => "",
        'ف' => "F",
        'ق' => "Q",
        'ك' => "K",
        'ل' => "L",
        'م' => "M",
        'ن' => "N",
        'ه' => "H",
        'و' => "W",
        'ى' => "XAY",
        'ي' => "Y",
        'ٱ' => "XXA",
        'ٹ' => "XXT",
        'ټ' => "XRT",
        'پ' => "P",
        'څ' => "XXH",
        'چ' => "XC",
        'ڈ' => "XXD",
        'ډ' => "XDR",
        'ڑ' => "XXR",
        'ړ' => "XRR",
        'ږ' => "XRX",
        'ژ' => "XJ",
        'ښ' => "XXS",
        'ک' => "XKK",
        'ګ' => "XXK",
        'ڭ' => "XNG",
        'گ' => "XGG",
        'ں' => "XNN",
        'ڼ' => "XXN",
        'ھ' => "XDO",
        'ہ' => "XXG",
        'ۃ' => "XTG",
        'ی' => "XYA",
        'ۍ' => "XXY",
        'ے' => "XYB",
        _ => return None,
    })
}

/// Whether the letter before these was the last one of its part of the name.
fn ends_part(behind: &[char]) -> bool {
    let mut letters = behind.iter().filter(|c| canonical_combining_class(**c) == 0);
    letters.next().is_none_or(|next| !next.is_alphanumeric())
}
