//! Where a customer stands, and the one table of how that changes.

use jiff::Timestamp;

use super::words::words;

/// Where a customer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not decided; the stage says who has to act.
    Pending(Stage),
    /// Identity confirmed.
    Verified {
        /// Past this time no read says verified. None: without limit.
        valid_until: Option<Timestamp>,
    },
    /// Refused.
    Rejected {
        /// Whether nothing that the customer sends later can change it.
        terminal: bool,
    },
}

words! {
    /// Who has to act on a pending customer.
    pub enum Stage, "stage" {
        /// A worker will take the verification.
        Queued = "queued",
        /// The provider has it.
        WithProvider = "with_provider",
        /// The customer has to send something or visit a page.
        AwaitingCustomer = "awaiting_customer",
        /// A person has to decide.
        InReview = "in_review",
    }
}

words! {
    /// A status without its details: what is counted and filtered by.
    pub enum StatusKind, "status" {
        /// See [`Status::Pending`].
        Pending = "pending",
        /// See [`Status::Verified`].
        Verified = "verified",
        /// See [`Status::Rejected`].
        Rejected = "rejected",
    }
}

words! {
    /// A status with its stage in one word, as audit events name it.
    pub enum StatusWord, "status word" {
        /// Pending, waits for a worker.
        Queued = "queued",
        /// Pending, with the provider.
        WithProvider = "with_provider",
        /// Pending, with the customer.
        AwaitingCustomer = "awaiting_customer",
        /// Pending, before a reviewer.
        InReview = "in_review",
        /// Verified.
        Verified = "verified",
        /// Rejected, and may resubmit.
        Rejected = "rejected",
        /// Rejected for good.
        RejectedForGood = "rejected_final",
    }
}

/// What may happen to a customer's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A verification was queued: by an update, on request, or since a decision ran out.
    Queued,
    /// The provider has taken the submission, or goes on with it.
    Submitted,
    /// The provider asks the customer to visit a page.
    CustomerAsked,
    /// A verification ended.
    Decided(Decision),
}

/// What a verification's end means for the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Identity confirmed.
    Approve {
        /// When the decision runs out; see [`Status::Verified`].
        valid_until: Option<Timestamp>,
    },
    /// Refused.
    Reject {
        /// See [`Status::Rejected`].
        terminal: bool,
    },
    /// The customer is asked for something better.
    AskCustomer,
    /// A person decides.
    Review,
}

/// An event that the table does not allow in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this can't follow on the present state")]
pub struct NotAllowed;

impl Status {
    /// The status after an event: the one table of transitions (I2).
    ///
    /// | from | queued | submitted | customer asked | decided |
    /// | --- | --- | --- | --- | --- |
    /// | queued | queued | with provider | awaiting customer | as decided |
    /// | with provider | queued | with provider | awaiting customer | as decided |
    /// | awaiting customer | queued | with provider | awaiting customer | as decided |
    /// | in review | queued | - | - | - |
    /// | verified | queued | - | - | - |
    /// | rejected, may resubmit | queued | - | - | - |
    /// | rejected for good | - | - | - | - |
    ///
    /// # Errors
    /// [`NotAllowed`] where the table has no entry; the status stays as it was.
    pub const fn after(self, event: Event) -> Result<Self, NotAllowed> {
        match (self, event) {
            (
                Self::Pending(_) | Self::Verified { .. } | Self::Rejected { terminal: false },
                Event::Queued,
            ) => Ok(Self::Pending(Stage::Queued)),
            (
                Self::Pending(Stage::Queued | Stage::WithProvider | Stage::AwaitingCustomer),
                Event::Submitted,
            ) => Ok(Self::Pending(Stage::WithProvider)),
            (
                Self::Pending(Stage::Queued | Stage::WithProvider | Stage::AwaitingCustomer),
                Event::CustomerAsked,
            ) => Ok(Self::Pending(Stage::AwaitingCustomer)),
            (
                Self::Pending(Stage::Queued | Stage::WithProvider | Stage::AwaitingCustomer),
                Event::Decided(decision),
            ) => Ok(decision.status()),
            (Self::Rejected { terminal: true }, Event::Queued)
            | (
                Self::Pending(Stage::InReview) | Self::Verified { .. } | Self::Rejected { .. },
                Event::Submitted | Event::CustomerAsked | Event::Decided(_),
            ) => Err(NotAllowed),
        }
    }

    /// The status as a reader at `now` may see it: a decision that has run out reads as pending and
    /// queued, also before the job has started the next verification.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Verified { valid_until: Some(end) } if end <= now => Self::Pending(Stage::Queued),
            Self::Pending(_) | Self::Verified { .. } | Self::Rejected { .. } => self,
        }
    }

    /// The status without its details.
    #[must_use]
    pub const fn kind(self) -> StatusKind {
        match self {
            Self::Pending(_) => StatusKind::Pending,
            Self::Verified { .. } => StatusKind::Verified,
            Self::Rejected { .. } => StatusKind::Rejected,
        }
    }

    /// The stage of a pending customer.
    #[must_use]
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Pending(stage) => Some(stage),
            Self::Verified { .. } | Self::Rejected { .. } => None,
        }
    }

    /// When the decision runs out, of a verified customer whose decision does.
    #[must_use]
    pub const fn valid_until(self) -> Option<Timestamp> {
        match self {
            Self::Verified { valid_until } => valid_until,
            Self::Pending(_) | Self::Rejected { .. } => None,
        }
    }

    /// Whether nothing can start another verification.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Rejected { terminal: true })
    }

    /// The status in one word, for audit events.
    #[must_use]
    pub const fn word(self) -> StatusWord {
        match self {
            Self::Pending(Stage::Queued) => StatusWord::Queued,
            Self::Pending(Stage::WithProvider) => StatusWord::WithProvider,
            Self::Pending(Stage::AwaitingCustomer) => StatusWord::AwaitingCustomer,
            Self::Pending(Stage::InReview) => StatusWord::InReview,
            Self::Verified { .. } => StatusWord::Verified,
            Self::Rejected { terminal: false } => StatusWord::Rejected,
            Self::Rejected { terminal: true } => StatusWord::RejectedForGood,
        }
    }
}

impl Decision {
    /// The status that the decision leads to.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Approve { valid_until } => Status::Verified { valid_until },
            Self::Reject { terminal } => Status::Rejected { terminal },
            Self::AskCustomer => Status::Pending(Stage::AwaitingCustomer),
            Self::Review => Status::Pending(Stage::InReview),
        }
    }

    /// Whether the decision ends the customer's waiting: verified or rejected.
    #[must_use]
    pub const fn is_conclusive(self) -> bool {
        match self {
            Self::Approve { .. } | Self::Reject { .. } => true,
            Self::AskCustomer | Self::Review => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIED: Status = Status::Verified { valid_until: None };
    const REJECTED: Status = Status::Rejected { terminal: false };
    const FINAL: Status = Status::Rejected { terminal: true };
    const QUEUED: Status = Status::Pending(Stage::Queued);
    const WITH_PROVIDER: Status = Status::Pending(Stage::WithProvider);
    const AWAITING: Status = Status::Pending(Stage::AwaitingCustomer);
    const IN_REVIEW: Status = Status::Pending(Stage::InReview);

    const DECISIONS: [(Decision, Status); 5] = [
        (Decision::Approve { valid_until: None }, VERIFIED),
        (Decision::Reject { terminal: false }, REJECTED),
        (Decision::Reject { terminal: true }, FINAL),
        (Decision::AskCustomer, AWAITING),
        (Decision::Review, IN_REVIEW),
    ];

    #[test]
    fn every_state_with_every_event_is_as_the_table_says() {
        let open = [QUEUED, WITH_PROVIDER, AWAITING];
        let closed = [IN_REVIEW, VERIFIED, REJECTED, FINAL];
        for from in open {
            assert_eq!(from.after(Event::Queued), Ok(QUEUED), "{from:?}");
            assert_eq!(from.after(Event::Submitted), Ok(WITH_PROVIDER), "{from:?}");
            assert_eq!(from.after(Event::CustomerAsked), Ok(AWAITING), "{from:?}");
            for (decision, to) in DECISIONS {
                assert_eq!(from.after(Event::Decided(decision)), Ok(to), "{from:?} {decision:?}");
            }
        }
        for from in closed {
            let requeued = if from == FINAL { Err(NotAllowed) } else { Ok(QUEUED) };
            assert_eq!(from.after(Event::Queued), requeued, "{from:?}");
            assert_eq!(from.after(Event::Submitted), Err(NotAllowed), "{from:?}");
            assert_eq!(from.after(Event::CustomerAsked), Err(NotAllowed), "{from:?}");
            for (decision, _) in DECISIONS {
                assert_eq!(from.after(Event::Decided(decision)), Err(NotAllowed), "{from:?} {decision:?}");
            }
        }
    }

    #[test]
    fn past_its_validity_no_read_says_verified() {
        let end = Timestamp::from_second(100).unwrap();
        let verified = Status::Verified { valid_until: Some(end) };
        assert_eq!(verified.at(Timestamp::from_second(99).unwrap()), verified);
        assert_eq!(verified.at(end), QUEUED);
        assert_eq!(VERIFIED.at(Timestamp::MAX), VERIFIED);
    }
}
