//! From what was found to what follows: one pure rule.

use jiff::{SignedDuration, Timestamp};

use super::discrepancy::{Class, Code, Discrepancy, Route};
use super::field::Field;
use super::policy::Policy;
use super::status::Decision;
use super::verification::Finding;
use crate::ports::provider::Outcome;

/// What the end of a verification comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was found.
    pub finding: Finding,
    /// What did not fit: our own findings first, then the provider's.
    pub discrepancies: Vec<Discrepancy>,
    /// What follows for the customer.
    pub decision: Decision,
}

/// The verdict over a provider's outcome and everything that did not fit.
///
/// * Only [`Outcome::Clear`] without any discrepancy approves (I3). Any other outcome that gives no
///   reason is given `technical.unknown_result`, so that a person sees why it is there.
/// * An unknown outcome goes before a person, whatever came with it.
/// * Screening goes before a person, whatever else was found: an automatic rejection would skip the
///   report to the authorities that may be due (FATF recommendation 20).
/// * Otherwise the gravest route wins: rejected, in review, awaiting the customer.
#[must_use]
pub fn judge(
    outcome: Outcome,
    mut discrepancies: Vec<Discrepancy>,
    policy: &Policy,
    now: Timestamp,
) -> Verdict {
    let unexplained = outcome == Outcome::Unknown || (outcome != Outcome::Clear && discrepancies.is_empty());
    if unexplained {
        discrepancies.push(Discrepancy::of(Code::UnknownResult));
    }
    let finding = Finding::of(outcome, &discrepancies);
    let decision = match finding {
        // Nobody can say what an unknown outcome's findings are worth.
        _ if outcome == Outcome::Unknown => Decision::Review,
        Finding::Clear => Decision::Approve { valid_until: policy.valid_until(now) },
        Finding::Consider | Finding::Unusable => route(&discrepancies),
    };
    Verdict { finding, discrepancies, decision }
}

/// The decision that discrepancies alone lead to; review where there are none.
#[must_use]
pub fn route(discrepancies: &[Discrepancy]) -> Decision {
    if discrepancies.iter().any(|found| found.code.class() == Class::Screening) {
        return Decision::Review;
    }
    let routes = || discrepancies.iter().map(Discrepancy::route);
    let rejected = routes().filter_map(|route| match route {
        Route::Rejected { terminal } => Some(terminal),
        Route::InReview | Route::AwaitingCustomer => None,
    });
    if let Some(terminal) = rejected.reduce(|a, b| a || b) {
        Decision::Reject { terminal }
    } else if discrepancies.is_empty() || routes().any(|route| route == Route::InReview) {
        Decision::Review
    } else {
        Decision::AskCustomer
    }
}

/// Whether our own findings already decide, so that no provider needs to be paid or shown the data.
#[must_use]
pub fn settles_alone(own: &[Discrepancy]) -> bool {
    !own.is_empty()
        && match route(own) {
            Decision::Reject { .. } | Decision::AskCustomer => true,
            Decision::Review | Decision::Approve { .. } => false,
        }
}

/// Of the fields that changed, those that start a re-verification: the identity that was confirmed.
#[must_use]
pub fn reverifies(changed: &[Field]) -> Vec<Field> {
    const IDENTITY: [Field; 4] = [Field::Name, Field::DateOfBirth, Field::Address, Field::IdentityDocument];
    changed.iter().copied().filter(|field| IDENTITY.contains(field)).collect()
}

impl Policy {
    /// When a decision of `now` runs out.
    #[must_use]
    pub fn valid_until(&self, now: Timestamp) -> Option<Timestamp> {
        let days = self.decision_validity_days?;
        now.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::discrepancy::Severity;

    fn certain(code: Code) -> Discrepancy {
        Discrepancy { severity: Severity::Critical, ..Discrepancy::of(code) }
    }

    #[track_caller]
    fn check(outcome: Outcome, found: &[Discrepancy], decision: Decision) {
        let verdict = judge(outcome, found.to_vec(), &Policy::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(verdict.decision, decision);
    }

    #[test]
    fn each_outcome_leads_where_the_contract_says() {
        let of = Discrepancy::of;
        let approve = Decision::Approve { valid_until: None };
        check(Outcome::Clear, &[], approve);
        check(Outcome::Clear, &[of(Code::MismatchMrz)], Decision::Review);
        check(Outcome::Consider, &[], Decision::Review);
        check(Outcome::Unusable, &[], Decision::Review);
        check(Outcome::Unknown, &[], Decision::Review);
        check(Outcome::Unusable, &[of(Code::ImageUnreadable)], Decision::AskCustomer);
        check(Outcome::Unusable, &[of(Code::ImageUnreadable), of(Code::MismatchName)], Decision::Review);
        check(Outcome::Consider, &[of(Code::Tampered)], Decision::Review);
        check(Outcome::Consider, &[certain(Code::Compromised)], Decision::Reject { terminal: true });
        check(Outcome::Clear, &[of(Code::PolicyAge)], Decision::Reject { terminal: false });
        check(Outcome::Clear, &[of(Code::PolicyDocumentExpired)], Decision::AskCustomer);
        check(
            Outcome::Consider,
            &[of(Code::PolicyAge), certain(Code::Compromised)],
            Decision::Reject { terminal: true },
        );
        check(Outcome::Consider, &[of(Code::Sanctions), certain(Code::Compromised)], Decision::Review);
        check(Outcome::Unknown, &[certain(Code::Compromised)], Decision::Review);
    }

    #[test]
    fn nothing_but_a_clear_outcome_without_discrepancies_approves() {
        for outcome in Outcome::ALL {
            for code in Code::ALL {
                let verdict =
                    judge(*outcome, vec![certain(*code)], &Policy::default(), Timestamp::UNIX_EPOCH);
                assert!(!matches!(verdict.decision, Decision::Approve { .. }), "{outcome} {code}");
            }
            let bare = judge(*outcome, vec![], &Policy::default(), Timestamp::UNIX_EPOCH);
            let approved = matches!(bare.decision, Decision::Approve { .. });
            assert_eq!(approved, *outcome == Outcome::Clear, "{outcome}");
        }
    }

    #[test]
    fn an_outcome_without_a_reason_is_given_one() {
        for outcome in [Outcome::Consider, Outcome::Unusable, Outcome::Unknown] {
            let verdict = judge(outcome, vec![], &Policy::default(), Timestamp::UNIX_EPOCH);
            assert_eq!(verdict.discrepancies, [Discrepancy::of(Code::UnknownResult)]);
        }
    }

    #[test]
    fn only_what_a_provider_can_not_change_is_settled_without_one() {
        let of = Discrepancy::of;
        assert!(!settles_alone(&[]));
        assert!(settles_alone(&[of(Code::PolicyAge)]));
        assert!(settles_alone(&[of(Code::PolicyDocumentExpired)]));
        assert!(!settles_alone(&[of(Code::MismatchMrz)]));
        assert!(!settles_alone(&[of(Code::PolicyDocumentExpired), of(Code::MismatchMrz)]));
    }

    #[test]
    fn identity_starts_a_reverification_and_contact_does_not() {
        for field in Field::ALL {
            let identity =
                matches!(field, Field::Name | Field::DateOfBirth | Field::Address | Field::IdentityDocument);
            assert_eq!(!reverifies(&[*field]).is_empty(), identity, "{field}");
        }
    }

    #[test]
    fn a_decision_runs_out_when_the_policy_says() {
        let policy = Policy { decision_validity_days: Some(2), ..Policy::default() };
        let verdict = judge(Outcome::Clear, vec![], &policy, Timestamp::UNIX_EPOCH);
        let end = Timestamp::from_second(2 * 86_400).unwrap();
        assert_eq!(verdict.decision, Decision::Approve { valid_until: Some(end) });
    }
}
