//! Days: the date of birth, and how a date is read.

use jiff::civil::Date;
use zeroize::Zeroize;

use super::fault::Invalid;
use super::text::refuse_masked;
use crate::Secret;

/// Reads a day as `YYYY-MM-DD` (RFC 3339 full-date): ten characters, and a day that exists.
///
/// # Errors
/// `date.invalid`, `field.masked`.
pub fn parse_date(text: &str) -> Result<Date, Invalid> {
    refuse_masked(text)?;
    read_date(text).ok_or(Invalid::new("date.invalid", "an existing day as YYYY-MM-DD is expected"))
}

fn read_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let formed = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 4 | 7) { *b == b'-' } else { b.is_ascii_digit() });
    if !formed {
        return None;
    }
    Date::new(text.get(..4)?.parse().ok()?, text.get(5..7)?.parse().ok()?, text.get(8..)?.parse().ok()?).ok()
}

/// A day that is personal data: the date crate's own type can't be overwritten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(pub(crate) Date);

impl Zeroize for Day {
    fn zeroize(&mut self) {
        self.0 = Date::default();
        zeroize::optimization_barrier(self);
    }
}

/// The day on which a person was born.
///
/// ```
/// use jiff::civil::date;
/// use kyc_core::domain::birth::DateOfBirth;
/// let born = DateOfBirth::parse("1990-12-10", date(2026, 1, 31))?;
/// assert_eq!(born.age_on(date(2026, 1, 31)), 35);
/// # Ok::<(), kyc_core::domain::fault::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateOfBirth(Secret<Day>);

impl DateOfBirth {
    /// The greatest age that is believed, in years; the greatest that was ever proven is 122.
    pub const MAX_AGE: i16 = 130;

    /// Reads a date of birth, as of `today`.
    ///
    /// # Errors
    /// `date.invalid`, `date_of_birth.future`, `date_of_birth.too_old` (over 130 years), `field.masked`.
    pub fn parse(text: &str, today: Date) -> Result<Self, Invalid> {
        let born = Self::trusted(parse_date(text)?);
        if born.expose() > today {
            return Err(Invalid::new("date_of_birth.future", "a day that is not in the future is expected"));
        }
        if born.age_on(today) > Self::MAX_AGE {
            return Err(Invalid::new("date_of_birth.too_old", "an age of at most 130 years is expected"));
        }
        Ok(born)
    }

    /// The day.
    #[must_use]
    pub fn expose(&self) -> Date {
        self.0.expose().0
    }

    /// The age in whole years on a day; negative before the birth.
    ///
    /// Who was born on 29 February completes a year on 1 March where there is no such day, the later of
    /// the two customs, so that nobody is taken for an adult a day early.
    #[must_use]
    pub fn age_on(&self, day: Date) -> i16 {
        let born = self.expose();
        let before_birthday = (day.month(), day.day()) < (born.month(), born.day());
        day.year() - born.year() - i16::from(before_birthday)
    }

    pub(crate) const fn trusted(day: Date) -> Self {
        Self(Secret::new(Day(day)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 3, 15);

    #[test]
    fn only_ten_characters_that_are_a_day_are_a_date() {
        assert_eq!(parse_date("2024-02-29"), Ok(date(2024, 2, 29)));
        for bad in [
            "",
            "2023-02-29",
            "2024-2-29",
            "2024-02-30",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "20240229",
            "2024-02-29T00:00:00Z",
            " 2024-02-29",
            "2024-02-29 ",
            "+024-02-29",
            "2024/02/29",
            "29-02-2024",
            "２０２４-02-2",
            "-024-02-29",
            "2024-+2-29",
        ] {
            assert_eq!(parse_date(bad).unwrap_err().code, "date.invalid", "{bad}");
        }
        assert_eq!(parse_date("1990-••-••").unwrap_err().code, "field.masked");
    }

    #[test]
    fn ages_from_0_to_130_are_believed() {
        let code = |text| DateOfBirth::parse(text, TODAY).map_err(|invalid| invalid.code).err();
        assert_eq!(code("2026-03-15"), None);
        assert_eq!(code("2026-03-16"), Some("date_of_birth.future"));
        assert_eq!(code("1895-03-16"), None);
        assert_eq!(code("1895-03-15"), Some("date_of_birth.too_old"));
        assert_eq!(code("0001-01-01"), Some("date_of_birth.too_old"));
        assert_eq!(code("9999-12-31"), Some("date_of_birth.future"));
    }

    #[test]
    fn a_year_is_complete_on_the_birthday() {
        let born = DateOfBirth::parse("2008-03-16", TODAY).unwrap();
        assert_eq!((born.age_on(TODAY), born.age_on(date(2026, 3, 16))), (17, 18));
        assert_eq!(born.age_on(date(2008, 3, 15)), -1);
    }

    #[test]
    fn born_on_29_february_is_of_age_on_1_march() {
        let born = DateOfBirth::parse("2008-02-29", TODAY).unwrap();
        assert_eq!((born.age_on(date(2026, 2, 28)), born.age_on(date(2026, 3, 1))), (17, 18));
        assert_eq!((born.age_on(date(2028, 2, 28)), born.age_on(date(2028, 2, 29))), (19, 20));
    }
}
