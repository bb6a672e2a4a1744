//! One verification: an attempt to confirm one version of a customer's data at one provider.

use jiff::Timestamp;

use super::discrepancy::Discrepancy;
use super::ids::{ProviderName, SubjectId, VerificationId};
use super::status::NotAllowed;
use super::words::words;
use crate::ports::cipher::Sealed;
use crate::ports::provider::Outcome;

/// One attempt. Of a customer's verifications only the latest can be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Its id, which is the idempotency key at the provider.
    pub id: VerificationId,
    /// Whose it is.
    pub subject: SubjectId,
    /// The version of the customer's data that it is of.
    pub version: u32,
    /// The provider that is asked.
    pub provider: ProviderName,
    /// Why it was started.
    pub cause: Cause,
    /// Where it stands.
    pub state: State,
    /// How many calls of the provider failed since the last one that went well.
    pub failures: u32,
    /// Whether the provider may have been told of it: a worker has taken it, and has not said that nothing left
    /// this machine. As long as it is not, another provider may be asked instead. A store sets it as it hands
    /// the verification out.
    pub attempted: bool,
    /// The time from which it could first run: later than `created_at` where the daily limit made it
    /// wait. The limit counts by it.
    pub scheduled_for: Timestamp,
    /// When a worker is to take it next; none once it has ended.
    pub due_at: Option<Timestamp>,
    /// Where it stands at the provider, sealed.
    pub progress: Option<Sealed>,
    /// A keyed digest of the name by which callbacks of the provider speak of it.
    pub reference: Option<[u8; 32]>,
    /// A link for the customer, sealed, while the provider asks for a visit.
    pub link: Option<Sealed>,
    /// What did not fit.
    pub discrepancies: Vec<Discrepancy>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When the provider took the submission.
    pub submitted_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
}

words! {
    /// Why a verification was started.
    pub enum Cause, "cause" {
        /// The customer was registered.
        Registration = "registration",
        /// The customer's data changed.
        Update = "update",
        /// Somebody asked for it.
        Request = "request",
        /// The decision before it ran out.
        Expiry = "expiry",
        /// The customer sent a file that was asked for.
        Document = "document",
        /// The policy demands that a second provider agrees.
        SecondOpinion = "second_opinion",
    }
}

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a worker.
    Queued,
    /// The provider has it.
    Submitted,
    /// The provider has answered, or our own rules have.
    Completed(Finding),
    /// No answer could be had.
    Failed,
    /// A newer verification took its place.
    Superseded,
}

words! {
    /// What a completed verification found.
    pub enum Finding, "finding" {
        /// Every check passed.
        Clear = "clear",
        /// Something did not fit.
        Consider = "consider",
        /// The evidence could not be used.
        Unusable = "unusable",
    }
}

words! {
    /// A state without its details.
    pub enum StateKind, "verification state" {
        /// See [`State::Queued`].
        Queued = "queued",
        /// See [`State::Submitted`].
        Submitted = "submitted",
        /// See [`State::Completed`].
        Completed = "completed",
        /// See [`State::Failed`].
        Failed = "failed",
        /// See [`State::Superseded`].
        Superseded = "superseded",
    }
}

/// What may happen to a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The provider has taken it, or goes on with it.
    Submitted,
    /// The provider answered, or our own rules did.
    Completed(Finding),
    /// Whatever was tried, no answer could be had.
    GivenUp,
    /// A newer verification takes its place.
    Superseded,
}

impl State {
    /// The state after an event: the one table of transitions (I2). An ended verification stays as it
    /// is, whatever comes later (I3).
    ///
    /// # Errors
    /// [`NotAllowed`] where the verification has ended.
    pub const fn after(self, event: Event) -> Result<Self, NotAllowed> {
        match (self, event) {
            (Self::Queued | Self::Submitted, Event::Submitted) => Ok(Self::Submitted),
            (Self::Queued | Self::Submitted, Event::Completed(finding)) => Ok(Self::Completed(finding)),
            (Self::Queued | Self::Submitted, Event::GivenUp) => Ok(Self::Failed),
            (Self::Queued | Self::Submitted, Event::Superseded) => Ok(Self::Superseded),
            (
                Self::Completed(_) | Self::Failed | Self::Superseded,
                Event::Submitted | Event::Completed(_) | Event::GivenUp | Event::Superseded,
            ) => Err(NotAllowed),
        }
    }

    /// Whether an answer can still come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Submitted => true,
            Self::Completed(_) | Self::Failed | Self::Superseded => false,
        }
    }

    /// The state without its details.
    #[must_use]
    pub const fn kind(self) -> StateKind {
        match self {
            Self::Queued => StateKind::Queued,
            Self::Submitted => StateKind::Submitted,
            Self::Completed(_) => StateKind::Completed,
            Self::Failed => StateKind::Failed,
            Self::Superseded => StateKind::Superseded,
        }
    }

    /// The finding of a completed verification.
    #[must_use]
    pub const fn finding(self) -> Option<Finding> {
        match self {
            Self::Completed(finding) => Some(finding),
            Self::Queued | Self::Submitted | Self::Failed | Self::Superseded => None,
        }
    }
}

impl Finding {
    /// What the provider's outcome amounts to, once discrepancies of our own are counted in. Only a
    /// clear outcome without any discrepancy is clear (I3).
    #[must_use]
    pub fn of(outcome: Outcome, discrepancies: &[Discrepancy]) -> Self {
        match outcome {
            Outcome::Clear if discrepancies.is_empty() => Self::Clear,
            Outcome::Clear | Outcome::Consider | Outcome::Unknown => Self::Consider,
            Outcome::Unusable => Self::Unusable,
        }
    }
}

impl Verification {
    /// A verification that waits for a worker from `scheduled_for` on.
    #[must_use]
    pub const fn queued(
        id: VerificationId,
        subject: SubjectId,
        version: u32,
        provider: ProviderName,
        cause: Cause,
        created_at: Timestamp,
        scheduled_for: Timestamp,
    ) -> Self {
        Self {
            id,
            subject,
            version,
            provider,
            cause,
            state: State::Queued,
            failures: 0,
            attempted: false,
            scheduled_for,
            due_at: Some(scheduled_for),
            progress: None,
            reference: None,
            link: None,
            discrepancies: Vec::new(),
            created_at,
            submitted_at: None,
            completed_at: None,
        }
    }

    /// Ends it at `now`. The link dies with it; the progress stays, since it names what the provider holds.
    ///
    /// # Errors
    /// [`NotAllowed`] where it has ended before.
    pub fn ended(mut self, event: Event, now: Timestamp) -> Result<Self, NotAllowed> {
        self.state = self.state.after(event)?;
        self.due_at = None;
        self.link = None;
        self.completed_at = Some(now);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::discrepancy::Code;

    const ENDED: [State; 5] = [
        State::Completed(Finding::Clear),
        State::Completed(Finding::Consider),
        State::Completed(Finding::Unusable),
        State::Failed,
        State::Superseded,
    ];

    #[test]
    fn every_state_with_every_event_is_as_the_table_says() {
        let events = [
            (Event::Submitted, State::Submitted),
            (Event::Completed(Finding::Clear), State::Completed(Finding::Clear)),
            (Event::Completed(Finding::Consider), State::Completed(Finding::Consider)),
            (Event::Completed(Finding::Unusable), State::Completed(Finding::Unusable)),
            (Event::GivenUp, State::Failed),
            (Event::Superseded, State::Superseded),
        ];
        for (event, to) in events {
            for from in [State::Queued, State::Submitted] {
                assert_eq!(from.after(event), Ok(to), "{from:?} {event:?}");
            }
            for from in ENDED {
                assert_eq!(from.after(event), Err(NotAllowed), "{from:?} {event:?}");
            }
        }
    }

    #[test]
    fn only_a_clear_outcome_without_discrepancies_is_clear() {
        let some = [Discrepancy::of(Code::MismatchMrz)];
        for outcome in Outcome::ALL {
            for found in [&[][..], &some[..]] {
                let clear = Finding::of(*outcome, found) == Finding::Clear;
                assert_eq!(clear, *outcome == Outcome::Clear && found.is_empty(), "{outcome} {found:?}");
            }
        }
    }
}
