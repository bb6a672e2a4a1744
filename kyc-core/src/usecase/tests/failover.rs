//! More than one provider: where nobody can have been told the next one is asked, and else never another.

use std::time::Duration;

use super::*;
use crate::domain::discrepancy::Code;
use crate::domain::schedule::RetryPolicy;
use crate::domain::status::Stage;
use crate::domain::verification::{State, Verification};
use crate::ports::provider::{Outcome, ProviderError};
use crate::ports::store::{Conflict, CustomerReads, StoreError};

const IN_REVIEW: Status = Status::Pending(Stage::InReview);

fn policy() -> Policy {
    let retry = RetryPolicy {
        tries: 3,
        base: Duration::from_secs(2),
        cap: Duration::from_secs(2),
        give_up_after: Duration::from_hours(1),
    };
    Policy { retry, ..Policy::default() }
}

fn latest(world: &World) -> Verification {
    now(world.store.customer(&a())).unwrap().unwrap().latest
}

/// Where the customer's verification is, and whether somebody may know of it.
fn at(world: &World) -> (String, bool) {
    let latest = latest(world);
    (latest.provider.as_str().to_owned(), latest.attempted)
}

/// Runs what is due until the verification has ended, however long it takes.
fn run_to_the_end(world: &World) -> Vec<Ran> {
    let mut all = Vec::new();
    for _ in 0..10_000 {
        all.extend(world.run_due());
        match latest(world).due_at {
            None => return all,
            Some(due) if due > crate::ports::Clock::now(&world.clock) => world.clock.set(due),
            // It is under a lease that nobody gives back.
            Some(_) => world.advance(31),
        }
    }
    panic!("it does not end: {:?}", latest(world));
}

#[test]
fn a_provider_that_can_not_be_reached_is_passed_over_at_once() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    first.fail_with(Some(ProviderError::Unreachable));
    world.register();
    assert_eq!(world.run_due(), [Ran::Moved]);
    assert_eq!(at(&world), ("second".to_owned(), false));
    assert!(matches!(*world.run_due(), [Ran::Decided(_)]), "it was due at once");
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.status().provider.as_str(), "second");
    assert_eq!((first.distinct_submissions(), second.distinct_submissions()), (0, 1));

    let audit = world.audit();
    let moved = &audit[1].event;
    assert_eq!(moved.action, Action::VerificationMoved);
    assert_eq!(moved.provider.as_ref().unwrap().as_str(), "second");
    assert_eq!(
        (moved.target.as_deref(), moved.reason.as_deref()),
        (Some("provider:first"), Some("unreachable"))
    );
    assert_eq!(moved.fields, [], "nothing was shown to anybody");
    assert_eq!(audit[2].event.action, Action::VerificationDecided);
    assert!(!audit[2].event.fields.is_empty());
}

#[test]
fn after_the_last_provider_the_first_is_asked_again_later_and_that_is_one_try() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    for provider in [&first, &second] {
        provider.fail_with(Some(ProviderError::Unreachable));
    }
    world.register();
    assert_eq!(world.run_due(), [Ran::Moved]);
    assert_eq!(world.run_due(), [Ran::Deferred]);
    assert_eq!((at(&world), latest(&world).failures), (("first".to_owned(), false), 1));
    let actions = world.actions();
    assert_eq!(actions[2..], [Action::VerificationDeferred, Action::VerificationMoved]);
    // The first one is back.
    first.fail_with(None);
    world.advance(2);
    assert!(matches!(*world.run_due(), [Ran::Decided(_)]));
    assert_eq!((world.status().status, world.status().provider.as_str()), (VERIFIED, "first"));

    // Or none of them ever is.
    first.fail_with(Some(ProviderError::Unreachable));
    world.update(|update| update.name = set("Ada King"));
    run_to_the_end(&world);
    assert_eq!(world.status().status, IN_REVIEW);
    assert_eq!(world.status().discrepancies[0].code, Code::ProviderUnavailable);
    assert_eq!((first.distinct_submissions(), second.distinct_submissions()), (1, 0));
}

#[test]
fn what_may_have_arrived_is_asked_of_no_other() {
    for error in [
        ProviderError::Transient,
        ProviderError::Malformed,
        ProviderError::RateLimited { retry_after: None },
        ProviderError::Refused,
    ] {
        let (first, second) = (provider("first"), provider("second"));
        let world = World::over(policy(), &[&first, &second]);
        world.register();
        first.answer_with(Err(error));
        world.run_due();
        assert_eq!(at(&world), ("first".to_owned(), true), "{error}");
        // From now on it can't even be reached, and yet nobody can say that it has not got it.
        first.fail_with(Some(ProviderError::Unreachable));
        run_to_the_end(&world);
        assert_eq!(world.status().status, IN_REVIEW, "{error}");
        assert_eq!(at(&world).0, "first", "{error}");
        assert_eq!(second.steps(), 0, "{error}");
    }
}

#[test]
fn what_a_provider_has_stays_with_it() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    first.answer_with(Ok(FakeProvider::save(Duration::from_secs(1))));
    assert_eq!(world.run_due(), [Ran::Saved]);
    first.fail_with(Some(ProviderError::Unreachable));
    run_to_the_end(&world);
    assert_eq!((world.status().status, second.steps()), (IN_REVIEW, 0));
    assert_eq!(world.status().discrepancies[0].code, Code::ProviderUnavailable);
}

#[test]
fn a_worker_that_dies_before_its_call_has_the_same_provider_asked_again() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap();
    assert!(!claimed[0].record.verification.attempted, "as it was before");
    drop(claimed);
    assert_eq!(at(&world), ("first".to_owned(), true), "a death counts as a call");
    first.fail_with(Some(ProviderError::Unreachable));
    world.advance(31);
    assert_eq!(world.run_due(), [Ran::Deferred]);
    first.fail_with(None);
    run_to_the_end(&world);
    assert_eq!((world.status().status, first.distinct_submissions(), second.steps()), (VERIFIED, 1, 0));
}

#[test]
fn a_worker_that_dies_between_its_call_and_the_commit_has_told_one_provider() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(StoreError::Unavailable);
    now(world.kyc.run(claimed)).unwrap_err();
    assert_eq!(first.distinct_submissions(), 1);
    first.fail_with(Some(ProviderError::Unreachable));
    world.advance(31);
    run_to_the_end(&world);
    assert_eq!((world.status().status, second.steps()), (IN_REVIEW, 0));
}

#[test]
fn a_worker_that_dies_in_the_middle_of_a_move_has_one_provider_asked_and_not_two() {
    let (first, second) = (provider("first"), provider("second"));
    first.fail_with(Some(ProviderError::Unreachable));
    // Before the move is written nobody was asked but the first, who is therefore asked again.
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(StoreError::Unavailable);
    now(world.kyc.run(claimed)).unwrap_err();
    assert_eq!((at(&world), second.steps()), (("first".to_owned(), true), 0));
    // After it the second, also where the first is back by then.
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    assert_eq!(world.run_due(), [Ran::Moved]);
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(StoreError::Unavailable);
    now(world.kyc.run(claimed)).unwrap_err();
    first.fail_with(None);
    world.advance(31);
    run_to_the_end(&world);
    assert_eq!((world.status().status, at(&world).0.as_str()), (VERIFIED, "second"));
    assert_eq!((first.distinct_submissions(), second.distinct_submissions()), (0, 1));
}

#[test]
fn whether_somebody_was_told_survives_a_conflict_on_the_way() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    first.fail_with(Some(ProviderError::Unreachable));
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(Conflict::Revision);
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Moved);
    assert_eq!(at(&world), ("second".to_owned(), false), "as it was before the claim");

    second.fail_with(Some(ProviderError::Transient));
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(Conflict::Revision);
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Deferred);
    assert_eq!(at(&world), ("second".to_owned(), true));
}

#[test]
fn a_sleeper_that_reached_nobody_does_not_hide_that_another_has() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    let sleeper = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.advance(31);
    assert!(matches!(*world.run_due(), [Ran::Decided(_)]));
    first.answer_with(Err(ProviderError::Unreachable));
    assert_eq!(now(world.kyc.run(sleeper)).unwrap(), Ran::Ignored);
    assert_eq!(at(&world), ("first".to_owned(), true));
}

#[test]
fn what_our_rules_settle_was_told_to_nobody() {
    let world = World::over(policy(), &[&provider("first"), &provider("second")]);
    let mut child = sample_customer();
    child.date_of_birth = text("2020-01-01");
    now(world.kyc.register(&admin(), registration("a", child))).unwrap();
    world.run_due();
    assert_eq!(at(&world), ("first".to_owned(), false));
}

#[test]
fn data_that_does_not_open_was_told_to_nobody() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.cipher.fail_with(Some(crate::ports::cipher::CipherError::UnknownKeyVersion(1)));
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Deferred);
    world.cipher.fail_with(None);
    assert_eq!(at(&world), ("first".to_owned(), false));
}

#[test]
fn a_provider_that_left_the_settings_loses_only_what_it_was_never_told() {
    let (gone, first, second) = (provider("gone"), provider("first"), provider("second"));
    let settings = |world: &World, providers: Providers| {
        let ports = Ports {
            store: Arc::new(world.store.clone()),
            providers,
            clock: Arc::new(world.clock.clone()),
            cipher: Arc::new(world.cipher.clone()),
            entropy: Arc::new(world.entropy.clone()),
        };
        Kyc::new(ports, policy())
    };
    for told in [false, true] {
        let mut world = World::over(policy(), &[&gone]);
        world.register();
        if told {
            gone.fail_with(Some(ProviderError::Transient));
            assert_eq!(world.run_due(), [Ran::Deferred]);
        }
        let others = vec![Arc::new(second.clone()) as _];
        world.kyc = settings(&world, Providers::in_order(Arc::new(first.clone()), others));
        let ran = run_to_the_end(&world);
        if told {
            assert_eq!((world.status().status, world.status().provider.as_str()), (IN_REVIEW, "gone"));
            assert_eq!(world.status().discrepancies[0].code, Code::ProviderUnavailable);
        } else {
            assert_eq!(ran[0], Ran::Moved);
            assert_eq!((world.status().status, world.status().provider.as_str()), (VERIFIED, "first"));
            assert_eq!(world.audit()[1].event.reason.as_deref(), Some("not_configured"));
        }
    }
    assert_eq!((first.distinct_submissions(), second.steps()), (1, 0));
}

#[test]
fn with_one_provider_a_connection_that_fails_is_a_call_that_fails() {
    let only = provider("only");
    let world = World::over(policy(), &[&only]);
    world.register();
    only.fail_with(Some(ProviderError::Unreachable));
    assert_eq!(world.run_due(), [Ran::Deferred]);
    assert_eq!((at(&world), latest(&world).failures), (("only".to_owned(), false), 1));
    assert_eq!(world.audit()[1].event.reason.as_deref(), Some("unreachable"));
    assert_eq!(world.audit()[1].event.fields, [], "nothing left this machine");
    world.advance(2);
    only.fail_with(None);
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}

#[test]
fn an_answer_of_the_provider_before_the_move_is_nobodys() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(policy(), &[&first, &second]);
    first.fail_with(Some(ProviderError::Unreachable));
    world.register();
    world.run_due();
    let crate::ports::provider::Step::Done(answer) = FakeProvider::done(Outcome::Clear, Vec::new()) else {
        panic!("an answer")
    };
    let id = latest(&world).id;
    let first = ProviderName::parse("first").unwrap();
    let told = now(world.kyc.record_answer(&first, id, answer));
    assert_eq!(told, Err(crate::usecase::RecordError::Unknown));
    assert_eq!(latest(&world).state, State::Queued);
}
