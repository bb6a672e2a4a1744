//! The machine-readable zone of a document (ICAO Doc 9303, parts 3 to 6).
//!
//! A zone of another shape is a fault of the input. A zone whose check digits fail, or that says something
//! else than was declared, is not: it becomes discrepancies, which a person looks at.

mod check;
mod compare;
mod layout;
mod name;
pub mod transliteration;

pub use check::check_digit;
pub use compare::discrepancies;
pub use layout::MrzFormat;

use zeroize::Zeroizing;

use super::fault::Invalid;
use super::text::refuse_masked;
use crate::Secret;

/// The lines of a zone whose shape is one of [`MrzFormat`].
///
/// ```
/// use kyc_core::domain::mrz::{Mrz, MrzFormat};
/// let mrz = Mrz::parse(&[
///     "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
///     "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
/// ])?;
/// assert_eq!(mrz.format(), MrzFormat::Td3);
/// assert!(mrz.check_digits_hold());
/// # Ok::<(), kyc_core::domain::fault::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mrz {
    format: MrzFormat,
    // One buffer, the lines one after another: their length follows from the format.
    text: Secret<String>,
}

const INVALID: Invalid = Invalid::new(
    "mrz.invalid",
    "the lines of a machine-readable zone are expected: 3 of 30, 2 of 36 or 2 of 44 characters A-Z 0-9 <",
);

impl Mrz {
    /// Reads the lines. Spaces around a line are dropped.
    ///
    /// # Errors
    /// `mrz.invalid` where the number of lines, their length or characters are those of no format, or of
    /// a visa, which identifies nobody; `field.masked`.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Invalid> {
        for line in lines {
            refuse_masked(line.as_ref())?;
        }
        if lines.len() > 3 {
            return Err(INVALID);
        }
        let mut text = Zeroizing::new(String::with_capacity(MrzFormat::MAX_CHARACTERS));
        let mut lengths = Vec::with_capacity(lines.len());
        for line in lines {
            let line = line.as_ref().trim_matches(' ');
            if line.len() > 44 || !line.bytes().all(check::is_mrz_character) {
                return Err(INVALID);
            }
            lengths.push(line.len());
            text.push_str(line);
        }
        let text = Secret::new(std::mem::take(&mut *text));
        let format = MrzFormat::of(&lengths, text.expose()).ok_or(INVALID)?;
        Ok(Self { format, text })
    }

    /// The layout.
    #[must_use]
    pub const fn format(&self) -> MrzFormat {
        self.format
    }

    /// The lines. Whoever calls this keeps them out of logs and errors.
    pub fn expose_lines(&self) -> impl Iterator<Item = &str> {
        let length = self.format.line_length();
        (0..self.format.lines())
            .filter_map(move |line| self.text.expose().get(line * length..(line + 1) * length))
    }

    /// Whether every check digit is the one that ICAO Doc 9303-3, section 4.9, gives.
    #[must_use]
    pub fn check_digits_hold(&self) -> bool {
        layout::Zone::read(self).check_digits_hold()
    }

    /// Lines that were parsed once; only their shape is looked at.
    pub(crate) fn trusted(lines: &[String]) -> Option<Self> {
        Self::parse(lines).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TD3: [&str; 2] =
        ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];

    #[test]
    fn lines_come_back_as_they_were() {
        let mrz = Mrz::parse(&TD3).unwrap();
        assert_eq!(mrz.expose_lines().collect::<Vec<_>>(), TD3);
        assert_eq!(format!("{mrz:?}"), "Mrz { format: Td3, text: Secret(redacted) }");
    }

    #[test]
    fn another_shape_is_refused() {
        let lower = TD3.map(str::to_lowercase);
        let visa = [TD3[0].replacen('P', "V", 1), TD3[1].to_owned()];
        let joined = TD3.concat();
        let short = [&TD3[0][1..], TD3[1]];
        let wide = [TD3[0].replacen('<', "Ä", 1), TD3[1].to_owned()];
        let swapped = ["<".repeat(36), "<".repeat(44)];
        for bad in [
            lower.to_vec(),
            visa.to_vec(),
            vec![joined],
            short.map(str::to_owned).to_vec(),
            vec![],
            wide.to_vec(),
            swapped.to_vec(),
            vec![String::new(); 3],
            vec!["<".repeat(30); 4],
        ] {
            assert_eq!(Mrz::parse(&bad).unwrap_err().code, "mrz.invalid", "{bad:?}");
        }
        assert_eq!(Mrz::parse(&["P<•"]).unwrap_err().code, "field.masked");
    }

    #[test]
    fn a_zone_of_fillers_is_a_zone() {
        for (lines, length) in [(3, 30), (2, 36), (2, 44)] {
            let mrz = Mrz::parse(&vec!["<".repeat(length); lines]).unwrap();
            assert!(!mrz.check_digits_hold());
        }
    }
}
