//! A clock that moves only when it is told to.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::ports::Clock;

/// A clock that stands still at [`FakeClock::START`] until it is told otherwise.
///
/// ```
/// use jiff::SignedDuration;
/// use kyc_core::fakes::FakeClock;
/// use kyc_core::ports::Clock;
///
/// let clock = FakeClock::new();
/// let shared = clock.clone();
/// shared.advance(SignedDuration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "2026-03-15T12:01:30Z");
/// ```
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<Mutex<Timestamp>>);

impl FakeClock {
    /// Where every fake clock starts: 2026-03-15T12:00:00Z.
    pub const START: Timestamp = Timestamp::constant(1_773_576_000, 0);

    /// A clock at [`FakeClock::START`].
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Self::START)
    }

    /// A clock at another time.
    #[must_use]
    pub fn starting_at(time: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }

    /// Moves the time on, or back where `by` is negative, and returns it. It stops at the first and the
    /// last time that there is.
    #[expect(clippy::must_use_candidate, reason = "the move is the point, the new time a convenience")]
    pub fn advance(&self, by: SignedDuration) -> Timestamp {
        let mut now = lock(&self.0);
        let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        *now = now.checked_add(by).unwrap_or(end);
        *now
    }

    /// Sets the time.
    pub fn set(&self, time: Timestamp) {
        *lock(&self.0) = time;
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told_and_stops_at_the_ends_of_time() {
        let clock = FakeClock::new();
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.now().to_string(), "2026-03-15T12:00:00Z");
        assert_eq!(clock.advance(SignedDuration::from_secs(-1)).to_string(), "2026-03-15T11:59:59Z");
        assert_eq!(clock.advance(SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(clock.advance(SignedDuration::MIN), Timestamp::MIN);
        clock.set(FakeClock::START);
        assert_eq!(clock.now(), FakeClock::START);
    }
}
