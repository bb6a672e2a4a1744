//! Where each field of a zone stands, format by format.

use super::Mrz;
use super::check::holds;
use crate::Secret;

/// The layout of a machine-readable zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MrzFormat {
    /// Three lines of 30: cards (ICAO Doc 9303-5).
    Td1,
    /// Two lines of 36: larger cards (ICAO Doc 9303-6).
    Td2,
    /// Two lines of 44: passports (ICAO Doc 9303-4).
    Td3,
    /// Two lines of 36 in a layout of its own: the French identity card of the kind issued until 2021.
    FrenchId,
}

impl MrzFormat {
    /// The most characters that the lines hold before they are known to be of a format: three of 44.
    pub(super) const MAX_CHARACTERS: usize = 3 * 44;

    /// The number of lines.
    #[must_use]
    pub const fn lines(self) -> usize {
        match self {
            Self::Td1 => 3,
            Self::Td2 | Self::Td3 | Self::FrenchId => 2,
        }
    }

    /// The characters of one line.
    #[must_use]
    pub const fn line_length(self) -> usize {
        match self {
            Self::Td1 => 30,
            Self::Td2 | Self::FrenchId => 36,
            Self::Td3 => 44,
        }
    }

    /// The format of lines of these lengths. A visa (V) has the shape of a passport or a larger card, and
    /// no composite check digit (ICAO Doc 9303-7): it is no identity document.
    pub(super) fn of(lengths: &[usize], text: &str) -> Option<Self> {
        let is_visa = text.starts_with('V');
        match lengths {
            [30, 30, 30] => Some(Self::Td1),
            [36, 36] if text.starts_with("IDFRA") => Some(Self::FrenchId),
            [36, 36] if !is_visa => Some(Self::Td2),
            [44, 44] if !is_visa => Some(Self::Td3),
            _ => None,
        }
    }
}

/// A field of the name: its text, and whether it runs to the last place, so that it may have been cut
/// (ICAO Doc 9303-3, section 4.6).
#[derive(Clone, Copy)]
pub(super) struct NameField<'a> {
    pub(super) text: &'a str,
    pub(super) may_be_cut: bool,
}

impl<'a> NameField<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, may_be_cut: !text.ends_with('<') }
    }
}

/// A zone, field by field. It borrows the lines, so that nothing is copied that would have to be wiped.
pub(super) struct Zone<'a> {
    /// The document code, such as `P<`.
    pub(super) code: &'a str,
    /// The issuing state or organisation.
    pub(super) issuer: &'a str,
    /// The whole document number.
    pub(super) number: Secret<String>,
    /// The date of birth as YYMMDD, `<` where a part is not known.
    pub(super) birth: &'a str,
    /// The date of expiry as YYMMDD; the French card has none.
    pub(super) expiry: Option<&'a str>,
    /// M, F or `<`.
    pub(super) sex: &'a str,
    /// The nationality; the French card has none.
    pub(super) nationality: Option<&'a str>,
    /// Primary identifier, `<<`, secondary identifier; the French card has a field for each.
    pub(super) names: Vec<NameField<'a>>,
    checks_hold: bool,
}

impl<'a> Zone<'a> {
    /// Reads the fields of a zone whose shape was checked.
    pub(super) fn read(mrz: &'a Mrz) -> Self {
        let text = mrz.text.expose().as_str();
        match mrz.format {
            MrzFormat::Td1 => Self::td1(text),
            MrzFormat::Td2 => Self::two_lines(text, 36),
            MrzFormat::Td3 => Self::two_lines(text, 44),
            MrzFormat::FrenchId => Self::french(text),
        }
    }

    /// Whether every check digit holds.
    pub(super) const fn check_digits_hold(&self) -> bool {
        self.checks_hold
    }

    /// ICAO Doc 9303-5, section 4.2.2. Places are counted from 0 through all three lines.
    fn td1(text: &'a str) -> Self {
        let at = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let number = Number::read(at(5, 14), at(14, 15), at(15, 30));
        let composite = [at(5, 30), at(30, 37), at(38, 45), at(48, 59)];
        Self {
            code: at(0, 2),
            issuer: at(2, 5),
            birth: at(30, 36),
            expiry: Some(at(38, 44)),
            sex: at(37, 38),
            nationality: Some(at(45, 48)),
            names: vec![NameField::of(at(60, 90))],
            checks_hold: number.holds
                && holds(at(30, 36), at(36, 37))
                && holds(at(38, 44), at(44, 45))
                && composite_holds(&composite, at(59, 60)),
            number: number.whole,
        }
    }

    /// TD2 and TD3 (ICAO Doc 9303-6, section 4.2.2; 9303-4, section 4.2.2) differ in the width of a line and
    /// in the check digit of the personal number, which only TD3 has.
    fn two_lines(text: &'a str, width: usize) -> Self {
        let at = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let second = |from: usize, to: usize| at(width + from, width + to);
        let is_td3 = width == 44;
        let number = if is_td3 {
            Number::short(second(0, 9), second(9, 10))
        } else {
            Number::read(second(0, 9), second(9, 10), second(28, 35))
        };
        let personal_holds = !is_td3 || personal_number_holds(second(28, 42), second(42, 43));
        let composite = [second(0, 10), second(13, 20), second(21, width - 1)];
        Self {
            code: at(0, 2),
            issuer: at(2, 5),
            birth: second(13, 19),
            expiry: Some(second(21, 27)),
            sex: second(20, 21),
            nationality: Some(second(10, 13)),
            names: vec![NameField::of(at(5, width))],
            checks_hold: number.holds
                && holds(second(13, 19), second(19, 20))
                && holds(second(21, 27), second(27, 28))
                && personal_holds
                && composite_holds(&composite, second(width - 1, width)),
            number: number.whole,
        }
    }

    /// The French card: a line of 36 with the surname and the office, then number, given names, birth and
    /// sex. Its composite is over everything before it.
    fn french(text: &'a str) -> Self {
        let at = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let number = Number::short(at(36, 48), at(48, 49));
        Self {
            code: at(0, 2),
            issuer: at(2, 5),
            birth: at(63, 69),
            expiry: None,
            sex: at(70, 71),
            nationality: None,
            names: vec![NameField::of(at(5, 30)), NameField::of(at(49, 63))],
            checks_hold: number.holds
                && holds(at(63, 69), at(69, 70))
                && composite_holds(&[at(0, 71)], at(71, 72)),
            number: number.whole,
        }
    }
}

/// A document number, and whether its check digit holds.
struct Number {
    whole: Secret<String>,
    holds: bool,
}

impl Number {
    /// A number that has its own field and check digit.
    fn short(field: &str, printed: &str) -> Self {
        let is_there = field.bytes().any(|b| b != b'<');
        Self { whole: joined(&[field]), holds: is_there && holds(field, printed) }
    }

    /// A number of more than nine places: a filler takes the place of its check digit, the rest of the
    /// number and then the check digit over all of it begin the optional data, and a filler ends them
    /// (ICAO Doc 9303-5, section 4.2.2, note j; 9303-6 likewise). Where the data fill the field, nothing ends
    /// them. Some states count the filler's place (Belgium does) and some don't, so either sum will do; the
    /// composite check digit is over the same places and leaves no choice.
    fn read(field: &str, printed: &str, optional: &str) -> Self {
        let rest = optional.split('<').next().unwrap_or_default();
        match rest.split_at_checked(rest.len().saturating_sub(1)) {
            Some((rest, check)) if printed == "<" && !rest.is_empty() => {
                let whole = joined(&[field, rest]);
                let with_filler = joined(&[field, "<", rest]);
                let holds = holds(whole.expose(), check) || holds(with_filler.expose(), check);
                Self { whole, holds }
            }
            _ => Self::short(field, printed),
        }
    }
}

/// The personal number may be left out, and then so may its check digit (ICAO Doc 9303-4, section 4.2.2).
fn personal_number_holds(field: &str, printed: &str) -> bool {
    holds(field, printed) || (printed == "<" && field.bytes().all(|b| b == b'<'))
}

fn composite_holds(parts: &[&str], printed: &str) -> bool {
    holds(joined(parts).expose(), printed)
}

fn joined(parts: &[&str]) -> Secret<String> {
    Secret::new(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], expected: bool, number: &str) {
        let mrz = Mrz::parse(lines).unwrap();
        let zone = Zone::read(&mrz);
        assert_eq!(zone.check_digits_hold(), expected, "{lines:?}");
        assert_eq!(zone.number.expose().trim_end_matches('<'), number);
    }

    #[test]
    fn specimens_hold() {
        read(
            &["P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<", "C01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<<0"],
            true,
            "C01X0006H",
        );
        read(
            &["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"],
            true,
            "D23145890",
        );
        read(
            &[
                "I<UTOD231458907<<<<<<<<<<<<<<<",
                "7408122F1204159UTO<<<<<<<<<<<6",
                "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
            ],
            true,
            "D23145890",
        );
    }

    #[test]
    fn a_long_number_goes_on_in_the_optional_data() {
        let second = "8512017F1311048BEL851201002007";
        let third = "REINARTZ<<ULRIKE<KATIA<E<<<<<<";
        read(&["IDBEL000590240<6013<<<<<<<<<<<", second, third], true, "000590240601");
        read(&["IDBEL000590240<6014<<<<<<<<<<<", second, third], false, "000590240601");
        read(
            &[
                "I<PRT007666667<ZZ00<<<<<<<<<<<",
                "8303143M3405293PRT<<<<<<<<<<<4",
                "CACADOR<DE<ARAUJO<<ANDRE<ESTEV",
            ],
            true,
            "007666667ZZ0",
        );
        // Without a rest there is no long number, only a check digit that is missing.
        read(&["IDBEL000590240<<<<<<<<<<<<<<<<", second, third], false, "000590240");
    }

    #[test]
    fn a_long_number_may_fill_the_optional_data() {
        let optional = "1234567890ABCD";
        let check = crate::domain::mrz::check_digit(&format!("XY3456789{optional}")).unwrap();
        let number = Number::read("XY3456789", "<", &format!("{optional}{check}"));
        assert!(number.holds);
        assert_eq!(number.whole.expose(), "XY34567891234567890ABCD");
    }

    #[test]
    fn the_old_french_card_has_its_own_layout() {
        let first = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<";
        read(&[first, "9409923102854CORINNE<<<<<<<6512068F4"], true, "940992310285");
        read(&[first, "9409923102854CORINNE<<<<<<<6512068F5"], false, "940992310285");
    }

    #[test]
    fn every_digit_of_a_zone_is_covered() {
        let lines =
            ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
        for place in (0..44).filter(|place| !(10..13).contains(place) && *place != 20) {
            let mut second = lines[1].as_bytes().to_vec();
            second[place] = if second[place] == b'9' { b'8' } else { b'9' };
            let second = String::from_utf8(second).unwrap();
            let mrz = Mrz::parse(&[lines[0], &second]).unwrap();
            // Fillers and letters may have a value that differs from 9 by a multiple of ten.
            let collides = matches!(lines[1].as_bytes()[place], b'J' | b'T');
            assert!(!Zone::read(&mrz).check_digits_hold() || collides, "{place}");
        }
    }
}
