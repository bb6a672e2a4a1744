//! Check digits (ICAO Doc 9303-3, section 4.9).

/// Whether a character may stand in a zone (ICAO Doc 9303-3, section 4.3).
pub(super) const fn is_mrz_character(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'<'
}

/// The check digit of a text, 0 to 9: weights 7, 3, 1 over the values of the characters, modulo 10. None
/// where the text is empty or holds another character.
///
/// ```
/// use kyc_core::domain::mrz::check_digit;
/// assert_eq!(check_digit("L898902C3"), Some(6));
/// assert_eq!(check_digit("not a field"), None);
/// ```
#[must_use]
pub fn check_digit(text: &str) -> Option<u32> {
    if text.is_empty() { None } else { ::mrz::check_digit(text).ok() }
}

/// Whether `printed` is the check digit of `text`. A filler in its place is none.
pub(super) fn holds(text: &str, printed: &str) -> bool {
    let digit = printed.parse::<u32>().ok().filter(|_| printed.len() == 1);
    digit.is_some() && check_digit(text) == digit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_digit_must_be_a_digit() {
        assert!(holds("520727", "3"));
        for printed in ["4", "<", "", "33", "+3", "C"] {
            assert!(!holds("520727", printed), "{printed}");
        }
        assert!(!holds("<<<<<<", "<"));
        assert!(holds("<<<<<<", "0"));
    }
}
