//! Turns, one after another: pure functions of a time that is given.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use kyc_core::domain::ids::VerificationId;

/// How much of the turns that nobody took may be made up for at once, and how late one may come for one's own.
const SLACK: Duration = Duration::from_secs(2);

/// Turns at an interval.
#[derive(Debug, Default)]
pub(super) struct Turns {
    next: Option<Timestamp>,
}

impl Turns {
    /// Takes the next turn that is not before `from`.
    fn take(&mut self, from: Timestamp, interval: Duration) -> Timestamp {
        let turn = self.next.map_or(from, |next| next.max(from));
        self.next = Some(later(turn, interval));
        turn
    }

    /// The same, and none later than `most` from then.
    pub(super) fn take_within(&mut self, from: Timestamp, interval: Duration, most: Duration) -> Timestamp {
        self.none_after(later(from, most));
        self.take(from, interval)
    }

    fn none_after(&mut self, bound: Timestamp) {
        self.next = self.next.map(|next| next.min(bound));
    }
}

/// Who waits for a call where so many may be made in a minute.
///
/// Each verification that can't wait is given a turn and comes back for it. Without that, those who come back would
/// meet those who are new, be put off again, and write to the store each time.
pub(super) struct Queue {
    interval: Duration,
    patience: Duration,
    turns: Turns,
    kept: HashMap<VerificationId, Timestamp>,
    /// At how many kept turns those are looked for for which nobody has come.
    sweep_at: usize,
}

impl Queue {
    /// The least number of kept turns at which a sweep is worth its time.
    const SWEEP: usize = 1024;

    pub(super) fn of(per_minute: NonZeroU32, patience: Duration) -> Self {
        let interval = Duration::from_mins(1) / per_minute.get();
        Self { interval, patience, turns: Turns::default(), kept: HashMap::new(), sweep_at: Self::SWEEP }
    }

    /// How long a call about a verification has to wait for its turn.
    ///
    /// # Errors
    /// After how long to come back, where that is longer than `patience`.
    pub(super) fn wait(
        &mut self,
        of: VerificationId,
        now: Timestamp,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let turn = match self.kept.remove(&of) {
            Some(turn) if later(turn, SLACK) >= now => turn,
            Some(_) | None => self.take(now),
        };
        let wait = until(turn, now);
        if wait <= patience {
            return Ok(wait);
        }
        if self.kept.len() >= self.sweep_at {
            self.kept.retain(|_, turn| later(*turn, SLACK) >= now);
            self.sweep_at = (2 * self.kept.len()).max(Self::SWEEP);
        }
        self.kept.insert(of, turn);
        Err(wait)
    }

    /// A new turn: the generic cell rate algorithm (ITU-T I.371, annex A), with a tolerance of [`SLACK`].
    fn take(&mut self, now: Timestamp) -> Timestamp {
        // Of the turns to come each is kept for somebody, or somebody sleeps for it. Where there are more, a clock was
        // set back, and nobody should wait for it to catch up.
        let taken = u32::try_from(self.kept.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.turns.none_after(later(now, self.interval.saturating_mul(taken).saturating_add(self.patience)));
        let from = now.checked_sub(SLACK.saturating_sub(self.interval)).unwrap_or(now);
        self.turns.take(from, self.interval)
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// From `now` to `at`; nothing where that is over.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn queue(per_minute: u32) -> Queue {
        Queue::of(NonZeroU32::new(per_minute).unwrap(), PATIENCE)
    }

    fn id(n: u16) -> VerificationId {
        let [high, low] = n.to_be_bytes();
        VerificationId::from_bytes([high, low, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7])
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap()
    }

    fn millis(result: Result<Duration, Duration>) -> Result<u128, u128> {
        result.map(|wait| wait.as_millis()).map_err(|wait| wait.as_millis())
    }

    #[test]
    fn some_go_at_once_some_wait_and_each_other_one_has_a_turn_of_its_own() {
        // One each 200 ms, of which ten fit into the slack.
        let mut queue = queue(300);
        for n in 0..10 {
            assert_eq!(millis(queue.wait(id(n), at(0), PATIENCE)), Ok(0), "{n}");
        }
        for n in 10..15 {
            assert_eq!(millis(queue.wait(id(n), at(0), PATIENCE)), Ok(200 * u128::from(n - 9)), "{n}");
        }
        for n in 15..1000 {
            assert_eq!(millis(queue.wait(id(n), at(0), PATIENCE)), Err(200 * u128::from(n - 9)), "{n}");
        }
        // Who comes too early is told of the same turn, and who comes for it goes before whoever is new.
        assert_eq!(millis(queue.wait(id(15), at(0), PATIENCE)), Err(1200));
        assert_eq!(millis(queue.wait(id(15), at(1100), PATIENCE)), Ok(100));
        assert!(queue.wait(id(1000), at(1200), PATIENCE).is_err());
        assert_eq!(millis(queue.wait(id(16), at(1400), PATIENCE)), Ok(0));
        // Who has missed it waits again behind the others.
        assert!(queue.wait(id(17), at(4000), PATIENCE).is_err());
    }

    #[test]
    fn in_no_minute_are_more_than_the_cap_and_the_slack() {
        let mut queue = queue(300);
        let mut made: Vec<i64> = Vec::new();
        let mut due: Vec<(i64, u16)> = (0..1000).map(|n| (0, n)).collect();
        while let Some((now, n)) = due.pop() {
            match queue.wait(id(n), at(now), PATIENCE) {
                Ok(wait) => made.push(now + i64::try_from(wait.as_millis()).unwrap()),
                Err(wait) => due.push((now + i64::try_from(wait.as_millis()).unwrap(), n)),
            }
            due.sort_unstable_by(|one, other| other.cmp(one));
        }
        made.sort_unstable();
        assert_eq!(made.len(), 1000);
        for (index, first) in made.iter().enumerate() {
            let within = made[index..].iter().filter(|other| **other < first + 60_000).count();
            assert!(within <= 311, "{within} from {first}");
        }
        assert!(*made.last().unwrap() <= 200_000, "and none is wasted");
        assert!(queue.kept.is_empty());
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_for_long() {
        let mut queue = queue(60);
        for n in 0..50 {
            _ = queue.wait(id(n), at(3_600_000), PATIENCE);
        }
        let wait = queue.wait(id(99), at(0), PATIENCE).unwrap_or_else(|wait| wait);
        assert!(wait <= Duration::from_secs(52), "{wait:?}");
    }

    #[test]
    fn turns_that_nobody_came_for_are_swept() {
        // One each millisecond, of which two thousand fit into the slack.
        let mut queue = queue(60_000);
        for (first, now) in [(0, 0), (5000, 1_000_000)] {
            for n in first..first + 5000 {
                _ = queue.wait(id(n), at(now), Duration::ZERO);
            }
        }
        assert_eq!(queue.kept.len(), 3000);
    }
}
