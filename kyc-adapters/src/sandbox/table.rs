//! What the sandbox answers: the end of the document number chooses.

use jiff::{SignedDuration, Timestamp};
use kyc_core::domain::discrepancy::{Code, Severity};
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::provider::Outcome;

use crate::provider::http::wire::{VerificationState, WireDiscrepancy, state};

/// How long a slow check takes.
const DELAY: SignedDuration = SignedDuration::from_secs(2);
/// How often a submission of `-TIMEOUT` fails before it is taken.
const FAILURES: u32 = 2;
/// An outcome that is not in the contract.
const STRANGE_OUTCOME: &str = "inconclusive";

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Any other number: clear.
    Clear,
    /// `-REJECT`: the document is compromised, and the sandbox is certain.
    Reject,
    /// `-CONSIDER`: the document may be altered.
    Consider,
    /// `-MISMATCH`: the name differs.
    Mismatch,
    /// `-RETRY`: the picture can't be read.
    Retry,
    /// `-SLOW`: clear after two seconds.
    Slow,
    /// `-LINK`: the customer has to follow a link; clear after two seconds.
    Link,
    /// `-TIMEOUT`: unavailable twice, then clear.
    Timeout,
    /// `-DOWN`: always unavailable.
    Down,
    /// `-UNKNOWN`: an outcome that is not in the contract.
    Unknown,
}

const ROWS: [(&str, Behaviour); 9] = [
    ("-REJECT", Behaviour::Reject),
    ("-CONSIDER", Behaviour::Consider),
    ("-MISMATCH", Behaviour::Mismatch),
    ("-RETRY", Behaviour::Retry),
    ("-SLOW", Behaviour::Slow),
    ("-LINK", Behaviour::Link),
    ("-TIMEOUT", Behaviour::Timeout),
    ("-DOWN", Behaviour::Down),
    ("-UNKNOWN", Behaviour::Unknown),
];

impl Behaviour {
    /// The row of a document number, whatever its case.
    pub(super) fn of(number: &str) -> Self {
        let number = number.to_ascii_uppercase();
        ROWS.iter().find(|(end, _)| number.ends_with(end)).map_or(Self::Clear, |(_, behaviour)| *behaviour)
    }

    /// Whether a submission is turned away as unavailable, after so many failures.
    pub(super) const fn is_unavailable(self, failures: u32) -> bool {
        match self {
            Self::Down => true,
            Self::Timeout => failures < FAILURES,
            Self::Clear
            | Self::Reject
            | Self::Consider
            | Self::Mismatch
            | Self::Retry
            | Self::Slow
            | Self::Link
            | Self::Unknown => false,
        }
    }

    /// Where a verification of this row stands. `page` is the customer's link, where there is one.
    pub(super) fn state(
        self,
        verification: VerificationId,
        accepted_at: Timestamp,
        now: Timestamp,
        page: &str,
    ) -> VerificationState {
        let told = VerificationState { verification_id: verification.to_string(), ..Default::default() };
        let done = |outcome: &str, found: Option<(Code, Option<Severity>)>| VerificationState {
            state: state::DONE.to_owned(),
            outcome: Some(outcome.to_owned()),
            discrepancies: Some(found.into_iter().map(finding).collect()),
            ..VerificationState { verification_id: verification.to_string(), ..Default::default() }
        };
        let clear = Outcome::Clear.as_str();
        let consider = Outcome::Consider.as_str();
        let left = DELAY - now.duration_since(accepted_at);
        let poll_after_ms = u64::try_from(left.as_millis()).ok().filter(|ms| *ms > 0);
        match self {
            Self::Clear | Self::Timeout | Self::Down => done(clear, None),
            Self::Reject => done(consider, Some((Code::Compromised, Some(Severity::Critical)))),
            Self::Consider => done(consider, Some((Code::Tampered, None))),
            Self::Mismatch => done(consider, Some((Code::MismatchName, None))),
            Self::Retry => done(Outcome::Unusable.as_str(), Some((Code::ImageUnreadable, None))),
            Self::Unknown => done(STRANGE_OUTCOME, None),
            Self::Slow | Self::Link if poll_after_ms.is_none() => done(clear, None),
            Self::Slow => VerificationState { state: state::PROCESSING.to_owned(), poll_after_ms, ..told },
            Self::Link => VerificationState {
                state: state::AWAITING_CUSTOMER.to_owned(),
                link: Some(page.to_owned()),
                poll_after_ms,
                ..told
            },
        }
    }
}

fn finding((code, severity): (Code, Option<Severity>)) -> WireDiscrepancy {
    WireDiscrepancy {
        code: code.as_str().to_owned(),
        severity: severity.map(|severity| severity.as_str().to_owned()),
        provider_code: Some(format!("sandbox.{}", code.as_str())),
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_number_chooses_and_case_does_not() {
        assert_eq!(Behaviour::of("925076473-reject"), Behaviour::Reject);
        assert_eq!(Behaviour::of("X-Down"), Behaviour::Down);
        for clear in ["925076473", "-REJECT-1", "REJECT", "", "ß"] {
            assert_eq!(Behaviour::of(clear), Behaviour::Clear, "{clear}");
        }
    }
}
