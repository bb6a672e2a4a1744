//! Where the policy asks for two providers that agree.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::domain::country::Country;
use crate::domain::discrepancy::{Code, Discrepancy, Severity};
use crate::domain::document::DocumentType;
use crate::domain::policy::SecondOpinion;
use crate::domain::status::Stage;
use crate::domain::verification::{Cause, Finding, State, Verification};
use crate::ports::provider::{Answer, Outcome, ProviderError, Step};
use crate::ports::store::{CustomerReads, VerificationReads};

const IN_REVIEW: Status = Status::Pending(Stage::InReview);
const QUEUED: Status = Status::Pending(Stage::Queued);
const FINAL: Status = Status::Rejected { terminal: true };

fn policy() -> Policy {
    let second_opinion = SecondOpinion {
        document_types: BTreeSet::from([DocumentType::Passport]),
        ..SecondOpinion::default()
    };
    Policy { second_opinion, ..Policy::default() }
}

fn rejected() -> Step {
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    FakeProvider::done(Outcome::Consider, vec![certain])
}

fn found(code: Code) -> Step {
    FakeProvider::done(Outcome::Consider, vec![Discrepancy::of(code)])
}

fn answer(step: Step) -> Answer {
    let Step::Done(answer) = step else { panic!("an answer") };
    answer
}

fn verifications(world: &World) -> Vec<Verification> {
    now(world.kyc.verifications(&admin(), &a())).unwrap()
}

fn found_codes(world: &World) -> Vec<Code> {
    world.status().discrepancies.iter().map(|found| found.code).collect()
}

/// A world of two providers with a customer whom both have to agree on.
fn world() -> (World, FakeProvider) {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    (world, second)
}

#[test]
fn one_answer_decides_nothing_and_two_that_agree_do() {
    let (world, second) = world();
    assert_eq!(world.run_due(), [Ran::Seconded]);
    let status = world.status();
    assert_eq!((status.status, status.provider.as_str(), status.decided_at), (QUEUED, "second", None));
    let [latest, before] = &*verifications(&world) else { panic!("two verifications") };
    assert_eq!((before.state, before.attempted), (State::Completed(Finding::Clear), true));
    assert!(before.submitted_at.is_some() && now(world.store.answer(before.id)).unwrap().is_some());
    assert_eq!(
        (latest.cause, latest.state, latest.version),
        (Cause::SecondOpinion, State::Queued, before.version)
    );

    second.answer_with(Ok(FakeProvider::save(Duration::from_secs(5))));
    assert_eq!(world.run_due(), [Ran::Saved]);
    assert_eq!(world.status().status, Status::Pending(Stage::WithProvider));
    world.advance(5);
    world.run_due();
    assert_eq!((world.status().status, world.status().discrepancies), (VERIFIED, vec![]));
    assert_eq!((world.provider.distinct_submissions(), second.distinct_submissions()), (1, 1));
    let moves: Vec<String> = world
        .audit()
        .iter()
        .map(|event| {
            let event = &event.event;
            let told = |word: Option<_>| word.map_or("", crate::domain::status::StatusWord::as_str);
            let provider = event.provider.as_ref().unwrap();
            let reason = event.reason.as_deref().unwrap_or_default();
            format!("{} {provider} [{reason}] {}>{}", event.action, told(event.from), told(event.to))
        })
        .collect();
    assert_eq!(
        moves,
        [
            "customer.registered first [registration] >queued",
            "verification.completed first [] >",
            "verification.queued second [second_opinion] queued>queued",
            "verification.submitted second [] queued>with_provider",
            "verification.decided second [] with_provider>verified",
        ]
    );
}

#[test]
fn two_answers_lead_where_the_table_says() {
    let clear = || FakeProvider::done(Outcome::Clear, vec![]);
    let unreadable = || FakeProvider::done(Outcome::Unusable, vec![Discrepancy::of(Code::ImageUnreadable)]);
    let ask = Status::Pending(Stage::AwaitingCustomer);
    for (one, other, status, codes) in [
        (clear(), clear(), VERIFIED, vec![]),
        (rejected(), rejected(), FINAL, vec![Code::Compromised, Code::Compromised]),
        (clear(), rejected(), IN_REVIEW, vec![Code::Compromised, Code::BetweenSources]),
        (rejected(), clear(), IN_REVIEW, vec![Code::Compromised, Code::BetweenSources]),
        (clear(), found(Code::MismatchName), IN_REVIEW, vec![Code::MismatchName]),
        (rejected(), found(Code::MismatchName), IN_REVIEW, vec![Code::MismatchName, Code::Compromised]),
        (clear(), unreadable(), ask, vec![Code::ImageUnreadable]),
        (rejected(), unreadable(), IN_REVIEW, vec![Code::ImageUnreadable, Code::Compromised]),
        (clear(), FakeProvider::done(Outcome::Unknown, vec![]), IN_REVIEW, vec![Code::UnknownResult]),
    ] {
        let (world, second) = world();
        world.provider.answer_with(Ok(one.clone()));
        second.answer_with(Ok(other.clone()));
        assert_eq!(world.run_due(), [Ran::Seconded]);
        assert_eq!(world.status().status, QUEUED, "{one:?} decides nothing");
        assert!(found_codes(&world).is_empty());
        world.run_due();
        assert_eq!((world.status().status, found_codes(&world)), (status, codes), "{one:?} {other:?}");
        // Whoever said it is named, and the counters know what the status shows.
        for found in world.status().discrepancies {
            let named = found.provider.map(|name| name.to_string());
            assert_eq!(named.is_none(), matches!(found.code, Code::BetweenSources | Code::UnknownResult));
        }
        let today = super::super::day(crate::ports::Clock::now(&world.clock));
        let report = now(world.kyc.report(&admin(), today, today)).unwrap();
        let mut counted = found_codes(&world);
        counted.sort_unstable();
        counted.dedup();
        let counts: Vec<_> = counted.into_iter().map(|code| (code, 1)).collect();
        assert_eq!(report.discrepancies, counts);
        assert_eq!(report.decisions.automatic, i64::from(matches!(status, VERIFIED | FINAL)));
    }
}

#[test]
fn an_answer_that_does_not_decide_asks_nobody_else() {
    for (step, status) in [
        (found(Code::MismatchName), IN_REVIEW),
        (found(Code::Sanctions), IN_REVIEW),
        (found(Code::ImageUnreadable), Status::Pending(Stage::AwaitingCustomer)),
    ] {
        let (world, second) = world();
        world.provider.answer_with(Ok(step));
        world.run_due();
        assert_eq!((world.status().status, second.steps()), (status, 0));
    }
}

#[test]
fn with_one_provider_a_person_decides() {
    for (step, found) in [(FakeProvider::done(Outcome::Clear, vec![]), 1), (rejected(), 2)] {
        let world = World::with(policy());
        world.register();
        world.provider.answer_with(Ok(step));
        world.run_due();
        assert_eq!((world.status().status, found_codes(&world).len()), (IN_REVIEW, found));
        assert_eq!(found_codes(&world).last(), Some(&Code::NotAllChecksCompleted));
        assert_eq!(verifications(&world)[0].state, State::Completed(Finding::Consider));
    }
}

#[test]
fn a_second_that_never_answers_leaves_it_to_a_person_who_sees_both() {
    let (world, second) = world();
    world.provider.answer_with(Ok(rejected()));
    world.run_due();
    second.fail_with(Some(ProviderError::Transient));
    for _ in 0..20 {
        world.run_due();
        world.advance(700);
    }
    assert_eq!(world.status().status, IN_REVIEW);
    assert_eq!(found_codes(&world), [Code::ProviderUnavailable, Code::Compromised]);
    assert_eq!(verifications(&world)[0].state, State::Failed);
}

#[test]
fn a_second_opinion_is_never_asked_of_the_first() {
    let (first, second, third) = (provider("first"), provider("second"), provider("third"));
    // The second can't be reached, and so the third is asked.
    let world = World::over(policy(), &[&first, &second, &third]);
    world.register();
    second.fail_with(Some(ProviderError::Unreachable));
    assert_eq!(world.run_due(), [Ran::Seconded]);
    assert_eq!(world.run_due(), [Ran::Moved]);
    world.run_due();
    assert_eq!((world.status().status, world.status().provider.as_str()), (VERIFIED, "third"));
    // None can, and the first is not asked twice, however long it takes.
    third.fail_with(Some(ProviderError::Unreachable));
    world.update(|update| update.name = set("Ada King"));
    for _ in 0..30 {
        world.run_due();
        world.run_due();
        world.advance(700);
    }
    assert_eq!((world.status().status, found_codes(&world)), (IN_REVIEW, vec![Code::ProviderUnavailable]));
    assert_eq!(first.distinct_submissions(), 2, "the two first opinions");
    assert_eq!(first.steps(), 2);
}

#[test]
fn a_second_whose_provider_left_the_settings_is_asked_of_another_or_left_to_a_person() {
    let (first, second, third) = (provider("first"), provider("second"), provider("third"));
    for (left, status) in [(Some(&third), VERIFIED), (None, IN_REVIEW)] {
        let mut world = World::over(policy(), &[&first, &second]);
        world.register();
        assert_eq!(world.run_due(), [Ran::Seconded]);
        let others = left.into_iter().map(|other| Arc::new(other.clone()) as _).collect();
        let ports = Ports {
            store: Arc::new(world.store.clone()),
            providers: Providers::in_order(Arc::new(first.clone()), others),
            clock: Arc::new(world.clock.clone()),
            cipher: Arc::new(world.cipher.clone()),
            entropy: Arc::new(world.entropy.clone()),
        };
        world.kyc = Kyc::new(ports, policy());
        world.run_due();
        world.run_due();
        assert_eq!(world.status().status, status);
        if left.is_none() {
            assert_eq!(found_codes(&world), [Code::NotAllChecksCompleted]);
        }
    }
}

#[test]
fn a_second_opinion_is_none_of_the_customers_attempts() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(Policy { verifications_per_day: 2, ..policy() }, &[&first, &second]);
    world.register();
    world.run_due();
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    now(world.kyc.request_verification(&admin(), &a())).unwrap();
    world.run_due();
    world.run_due();
    assert_eq!(verifications(&world).len(), 4);
    now(world.kyc.request_verification(&admin(), &a())).unwrap_err();
}

#[test]
fn late_and_doubled_answers_change_nothing_at_either() {
    let (world, second) = world();
    assert_eq!(world.run_due(), [Ran::Seconded]);
    let [latest, before] = &*verifications(&world) else { panic!("two verifications") };
    let record =
        |of: &Verification, step| now(world.kyc.record_answer(&of.provider, of.id, answer(step))).unwrap();
    // The first one says it again, and then something else.
    for step in [FakeProvider::done(Outcome::Clear, vec![]), rejected()] {
        assert_eq!(record(before, step), Ran::Ignored);
        assert_eq!((world.status().status, world.status().verification), (QUEUED, latest.id));
        assert_eq!(verifications(&world).len(), 2);
    }
    // The second one calls back before its worker has written anything, and then again.
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    assert!(matches!(record(latest, FakeProvider::done(Outcome::Clear, vec![])), Ran::Decided(_)));
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(record(latest, rejected()), Ran::Ignored);
    second.answer_with(Ok(rejected()));
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Ignored);
    assert_eq!((world.status().status, verifications(&world).len()), (VERIFIED, 2));
    let today = super::super::day(crate::ports::Clock::now(&world.clock));
    assert_eq!(now(world.kyc.report(&admin(), today, today)).unwrap().decisions.automatic, 1);
}

#[test]
fn an_answer_that_comes_by_itself_is_one_opinion_too() {
    let (world, _) = world();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_hours(1))));
    world.run_due();
    let id = world.status().verification;
    let ran = now(world.kyc.record_answer(&world.status().provider, id, answer(rejected()))).unwrap();
    assert_eq!(ran, Ran::Seconded);
    assert_eq!((world.status().status, world.status().provider.as_str()), (QUEUED, "second"));
}

#[test]
fn a_change_of_the_customer_starts_both_anew() {
    let (world, second) = world();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    let states: Vec<_> = verifications(&world).iter().map(|one| (one.cause, one.state)).collect();
    assert_eq!(
        states,
        [
            (Cause::Update, State::Queued),
            (Cause::SecondOpinion, State::Superseded),
            (Cause::Registration, State::Completed(Finding::Clear)),
        ]
    );
    second.answer_with(Ok(rejected()));
    assert_eq!(world.run_due(), [Ran::Seconded]);
    world.run_due();
    assert_eq!(world.status().status, IN_REVIEW, "held against the first of the new version");
}

#[test]
fn two_are_asked_by_country_of_issue_or_by_type_and_else_one() {
    let country = |code| BTreeSet::from([Country::parse(code).unwrap()]);
    let licence = BTreeSet::from([DocumentType::DrivingLicence]);
    for (second_opinion, expected) in [
        (SecondOpinion::default(), false),
        (SecondOpinion { countries: country("GB"), ..SecondOpinion::default() }, true),
        (SecondOpinion { countries: country("FR"), ..SecondOpinion::default() }, false),
        (SecondOpinion { document_types: licence.clone(), ..SecondOpinion::default() }, false),
        (SecondOpinion { document_types: licence, countries: country("GB") }, true),
    ] {
        let (first, second) = (provider("first"), provider("second"));
        let world = World::over(Policy { second_opinion, ..Policy::default() }, &[&first, &second]);
        world.register();
        world.run_due();
        assert_eq!(world.status().status == QUEUED, expected);
        let record = now(world.store.customer(&a())).unwrap().unwrap();
        assert_eq!(record.latest.cause == Cause::SecondOpinion, expected);
    }
}
