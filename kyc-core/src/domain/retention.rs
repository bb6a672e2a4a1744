//! How long a customer's data has to be kept, and from which day on it may be erased: pure functions of days.
//!
//! Directive (EU) 2015/849, article 40(1), has the evidence kept for five years after the end of a business
//! relationship, and erased after that; national law may say more, so the years are the operator's.

use jiff::ToSpan;
use jiff::civil::Date;

use super::fault::Invalid;
use super::verification::{State, Verification};
use crate::ports::store::CustomerRow;

/// The years for which data is kept by default: Directive (EU) 2015/849, article 40(1).
pub const DEFAULT_YEARS: u8 = 5;

/// The first day of an end of a relationship that is believed: nobody's archive of electronic records goes
/// back further.
pub const EARLIEST_END: Date = Date::constant(1900, 1, 1);

/// What begins the time for which a customer's data is kept, as days in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginnings {
    /// When the relationship ended, where it has.
    pub relationship_ended_on: Option<Date>,
    /// The last decision on the customer, where there was one.
    pub decided_on: Option<Date>,
    /// When the customer was registered.
    pub registered_on: Date,
}

impl Beginnings {
    /// Those of a customer with these verifications.
    ///
    /// An attempt that a provider or our rules completed counts as a decision, also where a later change put
    /// the customer back to pending: it is evidence all the same.
    #[must_use]
    pub fn of(row: &CustomerRow, verifications: &[Verification]) -> Self {
        let day = |at| jiff::tz::Offset::UTC.to_datetime(at).date();
        let completed = verifications.iter().filter(|one| matches!(one.state, State::Completed(_)));
        let last = completed.filter_map(|one| one.completed_at).chain(row.decided_at).max();
        Self {
            relationship_ended_on: row.relationship_ended_on,
            decided_on: last.map(day),
            registered_on: row.registered_on(),
        }
    }

    /// The day from which on the data may be erased: the years after the later of the relationship's end and
    /// the last decision; where there is neither, after the registration.
    #[must_use]
    pub fn erasable_from(self, years: u8) -> Date {
        let began = self.relationship_ended_on.max(self.decided_on).unwrap_or(self.registered_on);
        after_years(began, years)
    }
}

/// The same day so many years later. What began on 29 February ends on 1 March where there is no such day,
/// the later of the two customs, so that nothing goes a day early.
fn after_years(day: Date, years: u8) -> Date {
    match day.checked_add(i64::from(years).years()) {
        Ok(later) if later.day() < day.day() => later.tomorrow().unwrap_or(Date::MAX),
        Ok(later) => later,
        Err(_) => Date::MAX,
    }
}

/// The last day of an end of a relationship after which the years are over `today`.
#[must_use]
pub fn last_end_that_is_over(today: Date, years: u8) -> Date {
    // Going back from 29 February meets 28 February, whose years are over; 1 March's are not.
    today.saturating_sub(i64::from(years).years())
}

/// Reads when a relationship ended, as of `today`: it may have been long ago, since archives are registered
/// too, or lie a notice period of up to a year ahead.
///
/// # Errors
/// `ended_on.too_early` before 1900, `ended_on.too_late` more than a year ahead; `date.invalid` and
/// `field.masked` of a text that is no day.
pub fn parse_end(text: &str, today: Date) -> Result<Date, Invalid> {
    let day = super::birth::parse_date(text)?;
    if day < EARLIEST_END {
        return Err(Invalid::new("ended_on.too_early", "a day from 1900-01-01 on is expected"));
    }
    if day > today.saturating_add(1.year()) {
        return Err(Invalid::new("ended_on.too_late", "a day at most a year ahead is expected"));
    }
    Ok(day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn from(ended: Option<&str>, decided: Option<&str>, registered: &str, years: u8) -> Date {
        let beginnings = Beginnings {
            relationship_ended_on: ended.map(day),
            decided_on: decided.map(day),
            registered_on: day(registered),
        };
        beginnings.erasable_from(years)
    }

    #[test]
    fn the_later_of_end_and_decision_counts_and_the_registration_where_there_is_neither() {
        for (ended, decided, registered, years, expected) in [
            (Some("2026-01-31"), Some("2020-05-05"), "2019-01-01", 5, "2031-01-31"),
            (Some("2020-01-31"), Some("2026-05-05"), "2019-01-01", 5, "2031-05-05"),
            (Some("2020-01-31"), None, "2026-01-01", 5, "2025-01-31"),
            (None, Some("2026-05-05"), "2019-01-01", 5, "2031-05-05"),
            (None, None, "2026-01-01", 5, "2031-01-01"),
            (None, None, "2026-01-01", 0, "2026-01-01"),
            (Some("2024-02-29"), None, "2024-01-01", 5, "2029-03-01"),
            (Some("2024-02-29"), None, "2024-01-01", 4, "2028-02-29"),
            (Some("2024-02-28"), None, "2024-01-01", 5, "2029-02-28"),
            (Some("2023-02-28"), None, "2023-01-01", 5, "2028-02-28"),
            (Some("9990-01-01"), None, "2023-01-01", 255, "9999-12-31"),
        ] {
            assert_eq!(from(ended, decided, registered, years), day(expected), "{ended:?} {decided:?}");
        }
    }

    #[test]
    fn an_end_has_its_bounds() {
        let today = day("2026-01-31");
        for (text, expected) in [
            ("2026-01-31", Ok(today)),
            ("1900-01-01", Ok(EARLIEST_END)),
            ("2027-01-31", Ok(day("2027-01-31"))),
            ("1899-12-31", Err("ended_on.too_early")),
            ("2027-02-01", Err("ended_on.too_late")),
            ("2026-02-30", Err("date.invalid")),
            ("••••", Err("field.masked")),
        ] {
            assert_eq!(parse_end(text, today).map_err(|invalid| invalid.code), expected, "{text}");
        }
    }

    fn any_day() -> impl Strategy<Value = Date> {
        // Every second February is looked at closely.
        let around = (1904_i16..2200, -2_i64..3)
            .prop_map(|(year, offset)| Date::constant(year, 2, 28).saturating_add(offset.days()));
        let any = (0_i64..120_000).prop_map(|days| EARLIEST_END.saturating_add(days.days()));
        prop_oneof![around, any]
    }

    proptest! {
        #[test]
        fn what_is_looked_up_as_over_is_what_may_be_erased(end in any_day(), today in any_day(), years in 0_u8..=30) {
            let beginnings = Beginnings {
                relationship_ended_on: Some(end),
                decided_on: None,
                registered_on: end,
            };
            prop_assert_eq!(end <= last_end_that_is_over(today, years), beginnings.erasable_from(years) <= today);
        }

        #[test]
        fn nothing_is_erased_early_and_a_later_beginning_never_ends_sooner(a in any_day(), b in any_day(), years in 0_u8..=30) {
            let from = after_years(a, years);
            prop_assert!(from.year() - a.year() == i16::from(years));
            prop_assert!((from.month(), from.day()) >= (a.month(), a.day()));
            prop_assert!(a > b || from <= after_years(b, years));
        }
    }
}
