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
    /// What did not fit: our own findings first, then the provider's, then doubles.
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
///   report to the authorities that may be due (FATF recommendation 20). So does a double: which of the two is
///   genuine no rule can say.
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

impl Verdict {
    /// The verdict of a verification that has ended, from what is kept of it.
    #[must_use]
    pub fn kept(finding: Finding, discrepancies: Vec<Discrepancy>) -> Self {
        let decision = match finding {
            Finding::Clear => Decision::Approve { valid_until: None },
            Finding::Consider | Finding::Unusable => route(&discrepancies),
        };
        Self { finding, discrepancies, decision }
    }

    /// The same with one more thing that did not fit, for a person to decide.
    #[must_use]
    pub fn doubted(mut self, code: Code) -> Self {
        self.discrepancies.push(Discrepancy::of(code));
        self.decision = Decision::Review;
        self.settled()
    }

    /// The verdict once it is known which other customers share what only one should have: then a person decides,
    /// whatever was found before.
    #[must_use]
    pub fn beside(mut self, duplicates: Vec<Discrepancy>) -> Self {
        if duplicates.is_empty() {
            return self;
        }
        self.discrepancies.extend(duplicates);
        self.decision = route(&self.discrepancies);
        self.settled()
    }

    /// Nothing is clear that has a discrepancy.
    fn settled(mut self) -> Self {
        if self.finding == Finding::Clear && !self.discrepancies.is_empty() {
            self.finding = Finding::Consider;
        }
        self
    }
}

/// The verdict where two providers have to agree: the second one's, with what the first found beside it.
///
/// * It stands where both decided the same. An approval takes two clear findings (I3).
/// * Where both decided and not the same, `mismatch.between_sources` has a person decide.
/// * What the second could not decide is a person's too. The customer is asked for something better only where the
///   first had nothing against it: who was rejected is not told to try again.
#[must_use]
pub fn compare(first: Verdict, mut second: Verdict) -> Verdict {
    let (one, other) = (first.decision, second.decision);
    let known = second.discrepancies.clone();
    second.discrepancies.extend(first.discrepancies.into_iter().filter(|found| !known.contains(found)));
    match (one, other) {
        (Decision::Approve { .. }, Decision::Approve { .. } | Decision::AskCustomer) => second.settled(),
        (Decision::Reject { terminal: one }, Decision::Reject { terminal: other }) if one == other => second,
        (
            Decision::Approve { .. } | Decision::Reject { .. },
            Decision::Approve { .. } | Decision::Reject { .. },
        ) => second.doubted(Code::BetweenSources),
        (Decision::Approve { .. } | Decision::Reject { .. }, Decision::Review)
        | (Decision::Reject { .. }, Decision::AskCustomer)
        | (
            Decision::Review | Decision::AskCustomer,
            Decision::Approve { .. } | Decision::Reject { .. } | Decision::Review | Decision::AskCustomer,
        ) => Verdict { decision: Decision::Review, ..second.settled() },
    }
}

/// The decision that discrepancies alone lead to; review where there are none.
#[must_use]
pub fn route(discrepancies: &[Discrepancy]) -> Decision {
    if discrepancies.iter().any(|found| matches!(found.code.class(), Class::Screening | Class::Duplicate)) {
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
    fn two_opinions_lead_where_the_table_says() {
        const APPROVE: Decision = Decision::Approve { valid_until: None };
        const REJECT: Decision = Decision::Reject { terminal: false };
        const FINAL: Decision = Decision::Reject { terminal: true };
        let of = |decision| {
            let found = match decision {
                Decision::Approve { .. } => vec![],
                Decision::Reject { terminal: false } => vec![Discrepancy::of(Code::PolicyAge)],
                Decision::Reject { terminal: true } => vec![certain(Code::Compromised)],
                Decision::AskCustomer => vec![Discrepancy::of(Code::ImageUnreadable)],
                Decision::Review => vec![Discrepancy::of(Code::MismatchName)],
            };
            let finding = if found.is_empty() { Finding::Clear } else { Finding::Consider };
            let kept = Verdict::kept(finding, found);
            assert_eq!(kept.decision, decision, "what is kept says what was decided");
            kept
        };
        let (ask, review) = (Decision::AskCustomer, Decision::Review);
        let seconds = [APPROVE, REJECT, FINAL, ask, review];
        // The decision for each second, and whether the two contradict each other.
        for (first, expected) in [
            (APPROVE, [(APPROVE, false), (review, true), (review, true), (ask, false), (review, false)]),
            (REJECT, [(review, true), (REJECT, false), (review, true), (review, false), (review, false)]),
            (FINAL, [(review, true), (review, true), (FINAL, false), (review, false), (review, false)]),
            (ask, [(review, false); 5]),
            (review, [(review, false); 5]),
        ] {
            for (second, (decision, contradict)) in seconds.into_iter().zip(expected) {
                let verdict = compare(of(first), of(second));
                assert_eq!(verdict.decision, decision, "{first:?} {second:?}");
                let found = |code| verdict.discrepancies.iter().filter(|found| found.code == code).count();
                assert_eq!(found(Code::BetweenSources), usize::from(contradict), "{first:?} {second:?}");
                for known in of(first).discrepancies.iter().chain(&of(second).discrepancies) {
                    assert_eq!(found(known.code), 1, "{first:?} {second:?}: each is seen once");
                }
                let is_clear = verdict.finding == Finding::Clear;
                assert_eq!(is_clear, verdict.discrepancies.is_empty(), "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn what_is_doubted_is_a_persons_to_decide() {
        let verdict = Verdict::kept(Finding::Clear, vec![]).doubted(Code::NotAllChecksCompleted);
        assert_eq!((verdict.finding, verdict.decision), (Finding::Consider, Decision::Review));
        assert_eq!(verdict.discrepancies, [Discrepancy::of(Code::NotAllChecksCompleted)]);
    }

    #[test]
    fn with_a_double_a_person_decides_whatever_else_was_found() {
        let policy = Policy { decision_validity_days: Some(2), ..Policy::default() };
        let found = |code: Option<Code>| code.map(certain).into_iter().collect::<Vec<_>>();
        for outcome in Outcome::ALL {
            for code in Code::ALL.iter().copied().map(Some).chain([None]) {
                let alone = judge(*outcome, found(code), &policy, Timestamp::UNIX_EPOCH);
                assert_eq!(alone.clone().beside(vec![]), alone, "{outcome} {code:?}");
                for double in [Code::DuplicatePerson, Code::DuplicateDocument] {
                    let verdict = alone.clone().beside(vec![Discrepancy::of(double)]);
                    assert_eq!(verdict.decision, Decision::Review, "{outcome} {code:?} {double}");
                    assert_ne!(verdict.finding, Finding::Clear, "{outcome} {code:?} {double}");
                    let codes = verdict.discrepancies.iter().map(|found| found.code);
                    let expected = alone.discrepancies.iter().map(|found| found.code).chain([double]);
                    assert!(codes.eq(expected), "{outcome} {code:?} {double}");
                    check(*outcome, &[&found(code)[..], &[certain(double)]].concat(), Decision::Review);
                }
            }
        }
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
