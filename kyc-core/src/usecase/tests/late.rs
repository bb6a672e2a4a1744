//! Late, doubled, out-of-order and unknown answers change nothing that they should not (I3).

use std::time::Duration;

use super::*;
use crate::domain::ids::{ProviderName, VerificationId};
use crate::domain::status::{Decision, Stage};
use crate::domain::verification::State;
use crate::ports::provider::{Answer, Outcome};
use crate::ports::store::VerificationReads;
use crate::usecase::RecordError;

fn answer(outcome: Outcome, raw: &str) -> Answer {
    Answer { outcome, discrepancies: Vec::new(), raw: Secret::new(raw.as_bytes().to_vec()) }
}

fn record(world: &World, id: VerificationId, answer: Answer) -> Result<Ran, RecordError> {
    let provider = world.status().provider;
    now(world.kyc.record_answer(&provider, id, answer))
}

#[test]
fn an_answer_that_comes_by_itself_decides_an_open_verification() {
    let world = World::new();
    world.register();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_hours(1))));
    world.run_due();
    let ran = record(&world, world.status().verification, answer(Outcome::Clear, "{}")).unwrap();
    assert_eq!(ran, Ran::Decided(Decision::Approve { valid_until: None }));
    assert_eq!(world.status().status, VERIFIED);
    world.advance(3600);
    assert!(world.run_due().is_empty(), "nothing is left to look at");
}

#[test]
fn an_answer_to_a_superseded_verification_is_kept_and_changes_nothing() {
    let world = World::new();
    world.register();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_hours(1))));
    world.run_due();
    let first = world.status().verification;
    world.update(|update| update.name = set("Ada King"));
    let before = world.status();
    assert_eq!(record(&world, first, answer(Outcome::Clear, "late")).unwrap(), Ran::Ignored);
    let after = world.status();
    assert_eq!((after.status, after.verification), (before.status, before.verification));
    assert!(now(world.store.answer(first)).unwrap().is_some(), "it is evidence");
    assert_eq!(world.actions().last(), Some(&Action::AnswerIgnored));
}

#[test]
fn a_doubled_answer_counts_once_and_the_first_one_stays() {
    let world = World::new();
    world.register();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_hours(1))));
    world.run_due();
    let id = world.status().verification;
    assert_eq!(
        record(&world, id, answer(Outcome::Unknown, "first")).unwrap(),
        Ran::Decided(Decision::Review)
    );
    let kept = now(world.store.answer(id)).unwrap();
    let status = world.status();
    // The second one would approve.
    assert_eq!(record(&world, id, answer(Outcome::Clear, "second")).unwrap(), Ran::Ignored);
    assert_eq!(world.status().status, status.status);
    assert_eq!(now(world.store.answer(id)).unwrap(), kept);
}

#[test]
fn an_answer_that_overtakes_the_submission_decides_and_the_submission_comes_too_late() {
    let world = World::new();
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    let id = claimed.record.verification.id;
    // The provider calls back before the worker has written that it submitted.
    assert!(matches!(record(&world, id, answer(Outcome::Clear, "{}")).unwrap(), Ran::Decided(_)));
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_secs(1))));
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Ignored);
    assert_eq!(world.status().status, VERIFIED);
    world.advance(10);
    assert!(world.run_due().is_empty());
}

#[test]
fn an_unknown_verification_or_another_provider_is_refused() {
    let world = World::new();
    world.register();
    let nobody = VerificationId::from_bytes([7; 16]);
    assert_eq!(record(&world, nobody, answer(Outcome::Clear, "{}")), Err(RecordError::Unknown));
    let other = ProviderName::parse("other").unwrap();
    let known = world.status().verification;
    let said = now(world.kyc.record_answer(&other, known, answer(Outcome::Clear, "{}")));
    assert_eq!(said, Err(RecordError::Unknown));
    assert_eq!(world.status().status, Status::Pending(Stage::Queued));
}

#[test]
fn a_worker_that_slept_past_its_lease_writes_nothing() {
    let world = World::new();
    world.register();
    let sleeper = now(world.kyc.claim_due(1)).unwrap().remove(0);
    assert!(now(world.kyc.claim_due(1)).unwrap().is_empty(), "leased");
    world.advance(31);
    let second = now(world.kyc.claim_due(1)).unwrap().remove(0);
    assert!(second.lease.token > sleeper.lease.token);
    // The sleeper wakes with an answer while the other is still at it.
    assert_eq!(now(world.kyc.run(sleeper)).unwrap(), Ran::LeaseLost);
    assert_eq!(world.status().status, Status::Pending(Stage::Queued));
    assert!(matches!(now(world.kyc.run(second)).unwrap(), Ran::Decided(_)));
    assert_eq!(world.provider.distinct_submissions(), 1);
}

#[test]
fn a_change_while_the_provider_answers_supersedes_what_it_answers() {
    let world = World::new();
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    let first = claimed.record.verification.id;
    world.update(|update| update.name = set("Ada King"));
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Ignored);
    assert_eq!(world.status().status, Status::Pending(Stage::Queued));
    let all = now(world.kyc.verifications(&admin(), &a())).unwrap();
    assert_eq!((all[1].id, all[1].state), (first, State::Superseded));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}
