//! The contract of [`Clock`].

use jiff::civil::date;
use jiff::tz::Offset;

use crate::ports::Clock;

/// Runs every case.
pub fn all(clock: &dyn Clock) {
    the_time_is_one_of_this_service(clock);
}

/// The time is UTC and of our days: a clock that counts from its own start, or in another unit, would
/// date every record wrongly.
pub fn the_time_is_one_of_this_service(clock: &dyn Clock) {
    let today = Offset::UTC.to_datetime(clock.now()).date();
    assert!((date(2026, 1, 1)..date(2200, 1, 1)).contains(&today), "{today} is no day of our time");
}
