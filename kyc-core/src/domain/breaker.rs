//! The circuit breaker of a provider: who is down is not asked again by everybody (M. T. Nygard, "Release It!",
//! second edition, 2018, chapter 5).
//!
//! A pure state machine: the time is an argument, and so is the policy.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::ids::VerificationId;
use super::words::words;

/// When a breaker opens, and for how long.
///
/// It counts verifications and not calls, each by its latest call: the tries of one applicant whom the provider
/// can't serve are one failure, however many there are. It opens where so many different ones failed in a row, and
/// they are also a large part of those that were lately asked about. One row of failures alone may be bad luck at
/// a provider that serves hundreds meanwhile; a share alone would say that of two applicants one is an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// How many different verifications must have failed one after the other, with no answer in between. Default 5.
    pub in_a_row: usize,
    /// How many different verifications must have been asked about within the window. Default 10.
    pub least: usize,
    /// How many of them are looked at: the latest. Default 20.
    pub most: usize,
    /// The share of them that must have failed, in percent. Default 50.
    pub failing_percent: usize,
    /// How long a call counts. Default 5 minutes.
    pub window: Duration,
    /// How long it is open at first. It doubles with each probe that fails. Default 5 seconds.
    pub pause: Duration,
    /// The longest time for which it is open. Default 1 minute.
    pub longest_pause: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            in_a_row: 5,
            least: 10,
            most: 20,
            failing_percent: 50,
            window: Duration::from_mins(5),
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_mins(1),
        }
    }
}

words! {
    /// A state of a breaker without its details.
    pub enum BreakerState, "breaker state" {
        /// Every call goes through.
        Closed = "closed",
        /// None does.
        Open = "open",
        /// One call at a time shows whether the provider is back.
        HalfOpen = "half_open",
    }
}

/// A breaker. It begins closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaker {
    state: State,
    /// Counts the changes of state: what comes of a call that was admitted before the last one says nothing about
    /// the provider of now.
    era: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The latest call of each of the latest verifications, oldest first.
    Closed { recent: VecDeque<Recent> },
    /// No call before `until`. `pause` is how long it was opened for.
    Open { until: Timestamp, pause: Duration },
    /// One call is under way, and no other. `retry_at` is when to look again.
    HalfOpen { retry_at: Timestamp, pause: Duration },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { recent: VecDeque::new() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recent {
    of: VerificationId,
    failed: bool,
    at: Timestamp,
}

/// A call that a breaker has admitted. Every one must be followed by what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Pass {
    era: u64,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// The provider answered, whatever it said.
    Answered,
    /// It did not, or not so that it could be read.
    Failed,
    /// Nobody waited for it.
    Nothing,
}

/// How a breaker stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state. One whose pause is over is half open: the next call is the probe.
    pub state: BreakerState,
    /// When the next call is let through, where it is not always.
    pub retry_at: Option<Timestamp>,
}

impl Breaker {
    /// Asks to make a call at `now`.
    ///
    /// # Errors
    /// When to ask again, where no call is let through.
    pub fn ask(&mut self, now: Timestamp) -> Result<Pass, Timestamp> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until, .. } if now < until => return Err(until),
            State::Open { pause, .. } => {
                let retry_at = later(now, pause);
                self.turn(State::HalfOpen { retry_at, pause });
            }
            State::HalfOpen { retry_at, .. } => return Err(retry_at.max(now)),
        }
        Ok(Pass { era: self.era })
    }

    /// When a call at `now` would be let through: now where this is none.
    #[must_use]
    pub fn refuses_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until, .. } => (now < until).then_some(until),
            State::HalfOpen { retry_at, .. } => Some(retry_at.max(now)),
        }
    }

    /// Takes in what became of a call about `of`.
    pub fn hear(
        &mut self,
        pass: Pass,
        of: VerificationId,
        heard: Heard,
        now: Timestamp,
        policy: &BreakerPolicy,
    ) {
        if pass.era != self.era {
            return;
        }
        match (&mut self.state, heard) {
            (State::Closed { recent }, Heard::Answered | Heard::Failed) => {
                note(recent, Recent { of, failed: heard == Heard::Failed, at: now }, policy);
                if opens(recent, policy) {
                    self.turn(State::Open { until: later(now, policy.pause), pause: policy.pause });
                }
            }
            (State::HalfOpen { .. }, Heard::Answered) => self.turn(State::default()),
            (State::HalfOpen { pause, .. }, Heard::Failed) => {
                let pause = pause.saturating_mul(2).min(policy.longest_pause);
                self.turn(State::Open { until: later(now, pause), pause });
            }
            (State::HalfOpen { pause, .. }, Heard::Nothing) => {
                let pause = *pause;
                self.turn(State::Open { until: now, pause });
            }
            // A call of this era can't have been admitted while it is open.
            (State::Open { .. }, Heard::Answered | Heard::Failed | Heard::Nothing)
            | (State::Closed { .. }, Heard::Nothing) => {}
        }
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.state {
            State::Closed { .. } => Standing { state: BreakerState::Closed, retry_at: None },
            State::Open { until, .. } => {
                let state = if now < until { BreakerState::Open } else { BreakerState::HalfOpen };
                Standing { state, retry_at: Some(until) }
            }
            State::HalfOpen { retry_at, .. } => {
                Standing { state: BreakerState::HalfOpen, retry_at: Some(retry_at) }
            }
        }
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

/// Puts the latest call of a verification in the place of the one before, and drops what counts no more.
fn note(recent: &mut VecDeque<Recent>, latest: Recent, policy: &BreakerPolicy) {
    recent.retain(|one| one.of != latest.of && later(one.at, policy.window) > latest.at);
    recent.push_back(latest);
    while recent.len() > policy.most {
        recent.pop_front();
    }
}

/// The rule.
fn opens(recent: &VecDeque<Recent>, policy: &BreakerPolicy) -> bool {
    let failed = recent.iter().filter(|one| one.failed).count();
    let in_a_row = recent.iter().rev().take_while(|one| one.failed).count();
    in_a_row >= policy.in_a_row.max(1)
        && recent.len() >= policy.least
        && failed * 100 >= recent.len() * policy.failing_percent
}

fn later(at: Timestamp, delay: Duration) -> Timestamp {
    at.saturating_add(delay).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
