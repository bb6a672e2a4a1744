//! Whether a declared name is the name of a zone.
//!
//! The order of the parts is not looked at, since a declared name does not say which one is the surname.
//! Every part must be on both sides, save what a zone that is full may have lost. A name in a script
//! without rules for a zone can't be shown to be the same, so a person looks at it.

use super::layout::NameField;
use super::transliteration::{Spelling, spelling};

/// One place of a part: the spellings that may stand in it.
enum Place {
    Letter(char),
    OneOf(Vec<&'static str>),
}

impl Place {
    fn spellings(&self) -> impl Iterator<Item = &str> {
        let (letter, list) = match self {
            Self::Letter(c) => (Some(*c), &[][..]),
            Self::OneOf(list) => (None, list.as_slice()),
        };
        // A letter of A to Z or a digit is one byte: its spelling is found in the alphabet itself.
        let own = letter.and_then(|c| ALPHABET.find(c)).and_then(|at| ALPHABET.get(at..=at));
        own.into_iter().chain(list.iter().copied())
    }
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

type Part = Vec<Place>;

/// Whether the two are one name.
pub(super) fn same_name(declared: &str, fields: &[NameField<'_>]) -> bool {
    let Some(declared) = parts_of(declared) else { return false };
    let zone: Vec<&str> =
        fields.iter().flat_map(|field| field.text.split('<')).filter(|p| !p.is_empty()).collect();
    if declared.is_empty() || zone.is_empty() {
        return false;
    }
    let may_be_cut = fields.iter().any(|field| field.may_be_cut);
    let complete = may_be_cut || declared.len() == zone.len();
    complete && all_matched(&declared, &zone, may_be_cut) || joined_match(&declared, fields, may_be_cut)
}

/// The parts of a declared name; none where a character has no rule.
fn parts_of(name: &str) -> Option<Vec<Part>> {
    let mut parts = vec![Part::new()];
    for c in name.chars().flat_map(char::to_uppercase) {
        let part = parts.last_mut()?;
        match spelling(c, part.is_empty()) {
            Spelling::Same(letter) => part.push(Place::Letter(letter)),
            Spelling::OneOf(spellings) => part.push(Place::OneOf(spellings)),
            Spelling::Nothing => {}
            Spelling::Gap => parts.push(Part::new()),
            Spelling::NoRule => return None,
        }
    }
    parts.retain(|part| !part.is_empty());
    Some(parts)
}

/// Whether each part of the zone can have a declared part of its own: a matching in a bipartite graph,
/// grown path by path (Kuhn's algorithm), so that names with many equal parts cost no more.
fn all_matched(declared: &[Part], zone: &[&str], may_be_cut: bool) -> bool {
    let fits: Vec<Vec<bool>> = zone
        .iter()
        .map(|text| declared.iter().map(|part| part_matches(part.iter(), text, may_be_cut)).collect())
        .collect();
    let mut taken_by: Vec<Option<usize>> = vec![None; declared.len()];
    (0..zone.len()).all(|row| assign(row, &fits, &mut taken_by, &mut vec![false; declared.len()]))
}

fn assign(row: usize, fits: &[Vec<bool>], taken_by: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for column in 0..taken_by.len() {
        let fit = fits.get(row).and_then(|fits| fits.get(column)) == Some(&true);
        if !fit || seen.get(column) != Some(&false) {
            continue;
        }
        if let Some(seen) = seen.get_mut(column) {
            *seen = true;
        }
        let free = match taken_by.get(column).copied().flatten() {
            None => true,
            Some(other) => assign(other, fits, taken_by, seen),
        };
        if free && let Some(taken) = taken_by.get_mut(column) {
            *taken = Some(row);
            return true;
        }
    }
    false
}

/// Whether the names are the same but for where parts are set apart (`MC DONALD`, `VANDERBERG`): surname
/// first or given names first.
fn joined_match(declared: &[Part], fields: &[NameField<'_>], may_be_cut: bool) -> bool {
    let (surname, given) = match fields {
        [one] => one.text.split_once("<<").unwrap_or((one.text, "")),
        [surname, given] => (surname.text, given.text),
        _ => return false,
    };
    [[surname, given], [given, surname]].into_iter().any(|order| {
        let text: zeroize::Zeroizing<String> = order.concat().replace('<', "").into();
        !text.is_empty() && part_matches(declared.iter().flatten(), &text, may_be_cut)
    })
}

/// Whether some spelling of the places is the text, or begins with it where the text may have been cut.
fn part_matches<'p>(places: impl Iterator<Item = &'p Place>, text: &str, may_be_cut: bool) -> bool {
    let mut ends = vec![0];
    for place in places {
        let mut next = Vec::new();
        for rest in ends.iter().filter_map(|end| text.get(*end..)) {
            let end = text.len() - rest.len();
            for spelt in place.spellings() {
                // The zone ends here, or within the spelling of this letter.
                if may_be_cut && spelt.starts_with(rest) {
                    return true;
                }
                let reached = end + spelt.len();
                if rest.starts_with(spelt) && !next.contains(&reached) {
                    next.push(reached);
                }
            }
        }
        ends = next;
    }
    ends.contains(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name in a field of 39 places, as in a passport.
    fn check(declared: &str, zone: &str, expected: bool) {
        let text = format!("{zone:<<39}");
        let field = NameField { text: &text, may_be_cut: !text.ends_with('<') };
        assert_eq!(same_name(declared, &[field]), expected, "{declared} / {zone}");
    }

    #[test]
    fn order_and_punctuation_do_not_matter() {
        check("Anna Maria Eriksson", "ERIKSSON<<ANNA<MARIA", true);
        check("Eriksson, Anna Maria", "ERIKSSON<<ANNA<MARIA", true);
        check("Sinéad O'Connor-Smith", "OCONNOR<SMITH<<SINEAD", true);
        check("Ludwig van der Berg", "VANDERBERG<<LUDWIG", true);
        check("Suharto", "SUHARTO", true);
        check("Ada  Lovelace", "ADA<<LOVELACE", true);
        check("Ada (Countess) King", "KING<<ADA<COUNTESS", true);
    }

    #[test]
    fn another_name_is_another_name() {
        check("Anna Eriksson", "ERIKSSON<<ANNA<MARIA", false);
        check("Anna Maria Eriksson", "ERIKSSON<<ANNA", false);
        check("Anna Maria Erikson", "ERIKSSON<<ANNA<MARIA", false);
        check("Ada Lovelace", "", false);
        check("Ada", "ADAM", false);
        check("Adam", "ADA", false);
        check("A A B", "A<A<C", false);
        check("A A B", "A<B<B", false);
    }

    #[test]
    fn every_spelling_that_a_state_may_choose_is_the_name() {
        for zone in ["MUELLER<<JUERGEN", "MULLER<<JURGEN", "MUXXLLER<<JUXXRGEN"] {
            check("Jürgen Müller", zone, true);
        }
        check("Jürgen Müller", "MILLER<<JUERGEN", false);
        check("Weiß Zoë", "WEISS<<ZOE", true);
        check("Søren Ærø Åberg", "AABERG<<SOEREN<AEROE", true);
        check("Þór Ðýr", "DYR<<THOR", true);
        check("Muñoz", "MUNXXOZ", true);
        check("Nguyễn Văn Đức", "NGUYEN<<VAN<DUC", true);
        check("Сергей Щукин", "SHCHUKIN<<SERGEI", true);
        check("Ђорђе Живковић", "ZIVKOVIC<<DORDE", true);
        check("Юлія Євтушенко", "YEVTUSHENKO<<YULIIA", true);
        check("Ильич", "ILICH", true);
    }

    #[test]
    fn a_script_without_rules_goes_before_a_person() {
        check("李小龍", "LEE<<SIULUNG", false);
        check("محمد", "MOHAMMED", false);
    }

    #[test]
    fn what_a_full_field_has_lost_is_not_missed() {
        // After the examples of truncation in ICAO Doc 9303-4.
        check(
            "Nilavadhanananda Chayapa Dejthamrong Krasuang",
            "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K",
            true,
        );
        check(
            "Bennelong Wooloomooloo Warrandyte Warnambool Dingo Potoroo",
            "BENNELONG<WOOLOOM<WARRAND<WARNAM<<DINGO",
            true,
        );
        check(
            "Nilavadhanananda Chayapa Dejthamrong Krasuang",
            "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<X",
            false,
        );
        // Not cut, so nothing may be missing.
        check("Nilavadhanananda Chayapa", "NILAVADHANANANDA<<CHAYA", false);
    }

    #[test]
    fn many_equal_parts_are_compared_quickly() {
        let declared = "A ".repeat(99) + "B";
        check(&declared, &"A<".repeat(19), false);
        check(&"A ".repeat(20), &("A<".repeat(19) + "A"), true);
    }
}
