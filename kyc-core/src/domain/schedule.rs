//! When a verification runs: the daily limit, and the delays between failed calls.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The window of the limit of verifications a customer.
pub const LIMIT_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The earliest time at or after `now` at which one more verification keeps within `limit` in any 24
/// hours, given when the customer's verifications of late were scheduled. A limit of 0 is no limit.
#[must_use]
pub fn next_slot(now: Timestamp, limit: u32, scheduled: &[Timestamp]) -> Timestamp {
    let Some(limit) = usize::try_from(limit).ok().filter(|limit| *limit > 0) else { return now };
    let mut recent: Vec<Timestamp> = scheduled
        .iter()
        .copied()
        .filter(|at| at.saturating_add(LIMIT_WINDOW).is_ok_and(|end| end > now))
        .collect();
    recent.sort_unstable();
    match recent.len().checked_sub(limit) {
        None => now,
        // Of those that count, the `limit`-th from the end has to leave the window first.
        Some(index) => recent
            .get(index)
            .and_then(|at| at.saturating_add(LIMIT_WINDOW).ok())
            .map_or(now, |free_at| free_at.max(now)),
    }
}

/// How often a provider that has a verification is asked about it, where it names no time itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollingPolicy {
    /// The first interval, and the shortest.
    pub least: Duration,
    /// The interval that none passes.
    pub most: Duration,
}

impl Default for PollingPolicy {
    /// From 5 seconds to 15 minutes: about 25 looks in the first hour, and 4 an hour from then on.
    fn default() -> Self {
        Self { least: Duration::from_secs(5), most: Duration::from_mins(15) }
    }
}

impl PollingPolicy {
    /// The interval to the next look at what was submitted so long ago: a quarter of that time, so that the looks
    /// become fewer by themselves, and each answer is learned at most a quarter too late.
    #[must_use]
    pub fn interval(&self, since_submission: SignedDuration) -> Duration {
        let quarter = Duration::try_from(since_submission / 4).unwrap_or_default();
        quarter.clamp(self.least.min(self.most), self.most)
    }
}

/// How calls of a provider that fail are repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many calls may fail in a row before a person decides.
    pub tries: u32,
    /// The bound of the first delay; it doubles with each failure.
    pub base: Duration,
    /// The bound that no delay passes.
    pub cap: Duration,
    /// How long a verification may stay open, counted from when it could first run.
    pub give_up_after: Duration,
}

impl Default for RetryPolicy {
    /// Ten tries between 2 seconds and 10 minutes, about nine minutes on average, so that a provider's
    /// restart sends nobody to review; given up after 3 days.
    fn default() -> Self {
        Self {
            tries: 10,
            base: Duration::from_secs(2),
            cap: Duration::from_mins(10),
            give_up_after: Duration::from_hours(72),
        }
    }
}

impl RetryPolicy {
    /// The delay after the `failures`-th failure: exponential backoff with full jitter (M. Brooker,
    /// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), so that many that failed together
    /// do not return together. `random` is any random number.
    #[must_use]
    pub fn delay(&self, failures: u32, random: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        jitter(self.base.saturating_mul(1 << doublings).min(self.cap), random)
    }
}

/// A random part of a time, at least a millisecond. `random` is any random number.
#[must_use]
pub fn jitter(bound: Duration, random: u64) -> Duration {
    let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(random % millis + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3600).unwrap()
    }

    #[track_caller]
    fn check(limit: u32, scheduled: &[i64], expected: i64) {
        let scheduled: Vec<_> = scheduled.iter().map(|hours| at(*hours)).collect();
        assert_eq!(next_slot(at(0), limit, &scheduled), at(expected));
    }

    #[test]
    fn the_limit_counts_any_24_hours() {
        check(0, &[-1, -1, -1], 0);
        check(3, &[], 0);
        check(3, &[-1, -2], 0);
        check(3, &[-1, -2, -30], 0);
        check(3, &[-1, -2, -24], 0);
        check(3, &[-1, -2, -23], 1);
        check(3, &[-1, -2, -3, -4], 21);
        check(1, &[-1], 23);
        // One that waits already counts at the time at which it will run.
        check(2, &[-1, 23], 23);
        check(1, &[5], 29);
    }

    #[test]
    fn a_slot_never_breaks_the_limit() {
        // Take every slot that is offered, at once, and look at each window.
        let mut scheduled = Vec::new();
        for _ in 0..20 {
            scheduled.push(next_slot(at(0), 3, &scheduled));
        }
        for (index, first) in scheduled.iter().enumerate() {
            let within = scheduled[index..].iter().filter(|other| **other < *first + LIMIT_WINDOW).count();
            assert!(within <= 3, "{within} from {first}");
        }
    }

    #[test]
    fn looks_become_fewer_the_longer_it_takes() {
        let polling = PollingPolicy::default();
        for (since, expected) in
            [(-10, 5), (0, 5), (20, 5), (21, 5), (40, 10), (400, 100), (3600, 900), (86_400, 900)]
        {
            let interval = polling.interval(SignedDuration::from_secs(since));
            assert_eq!(interval.as_secs(), expected, "{since}");
        }
        let odd = PollingPolicy { least: Duration::from_secs(9), most: Duration::from_secs(3) };
        assert_eq!(odd.interval(SignedDuration::ZERO), Duration::from_secs(3));
    }

    #[test]
    fn delays_grow_to_the_cap_and_never_vanish() {
        let retry = RetryPolicy::default();
        for failures in 0..70 {
            for random in [0, 1, 12345, u64::MAX] {
                let delay = retry.delay(failures, random);
                assert!(delay >= Duration::from_millis(1) && delay <= retry.cap, "{failures} {random}");
            }
        }
        assert!(retry.delay(1, 1999) <= retry.base);
        assert_eq!(retry.delay(10, 599_999), retry.cap);
    }
}
