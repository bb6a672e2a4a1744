//! The form in which a text is searched and compared: its letters and digits alone, in the alphabet of a
//! machine-readable zone where there are rules for that.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::is_invisible;
use super::letters::spell;

/// A text as an exact search and the look for duplicates compare it: letters and digits in lower case, without
/// accents, spaces, hyphens, apostrophes and what can't be seen.
///
/// * Latin, Cyrillic and Arabic letters are written as in a machine-readable zone (ICAO Doc 9303-3, section 6), Greek
///   ones by ISO 843 (ELOT 743). Of a name in Cyrillic the letters tell the language where only one has them; else
///   it is read as Russian. Other scripts stay as they are, in NFKC.
/// * What one name may be spelt like is made one: the standard lets a state write Ü as UE, UXX or U, and И as I or Y.
///   So AE, OE, UE and AA lose their second letter, Y becomes I, II becomes I, and the XX after U and N goes, on
///   whichever side they come from. This makes a few more names meet, such as Michael and Michal. Of people born on
///   the same day that costs a look by a person, and no wrong decision.
/// * The order of the parts is kept, since a name does not say which one is the surname.
/// * Only marks that are accents go. Vowel signs and voicing marks, which make another word of it (Devanagari, Thai,
///   kana), stay.
///
/// A text without any letter or digit stays as it is, in NFKC and lower case, so that none becomes nothing.
///
/// ```
/// use kyc_core::domain::text::normalise_for_search;
/// assert_eq!(normalise_for_search("  Jürgen   MÜLLER-LÜDENSCHEIDT "), "jurgenmullerludenscheidt");
/// assert_eq!(normalise_for_search("Juergen Mueller"), normalise_for_search("Jurgen Muller"));
/// assert_eq!(normalise_for_search("Владимир"), normalise_for_search("VLADIMIR"));
/// ```
#[must_use]
pub fn normalise_for_search(text: &str) -> String {
    // Capitals are close to case folding: ß meets SS, and ς meets Σ.
    let mut capitals = Zeroizing::new(String::with_capacity(text.len().saturating_mul(4)));
    let seen = text.chars().filter(|c| !is_invisible(*c));
    capitals.extend(seen.nfkc().flat_map(char::to_uppercase).nfkc());
    let mut spelt = Zeroizing::new(String::with_capacity(capitals.len().saturating_mul(3)));
    spell(&capitals, &mut spelt);
    let mut form = String::with_capacity(spelt.len().saturating_mul(2));
    for c in spelt.chars().flat_map(char::to_lowercase).nfkc() {
        push_folded(&mut form, c);
    }
    if form.is_empty() {
        form.extend(text.nfkc().flat_map(char::to_lowercase).nfkc());
    }
    form
}

/// Puts a letter at the end, in the one spelling of those that a name may have.
fn push_folded(form: &mut String, c: char) {
    let mut last = form.chars().rev();
    match (last.next(), last.next(), c) {
        (_, _, 'y') => push_folded(form, 'i'),
        // Alef with a hamza or a madda, which declared names often lack.
        (Some('a'), Some('x'), 'a' | 'e') => {
            form.truncate(form.len() - 2);
            push_folded(form, 'a');
        }
        (Some('i'), _, 'i') | (Some('a' | 'o' | 'u'), _, 'e') | (Some('a'), _, 'a') => {}
        (Some('x'), Some('n' | 'u'), 'x') => {
            form.pop();
        }
        (Some(_) | None, _, _) => form.push(c),
    }
}

#[cfg(test)]
mod tests;
