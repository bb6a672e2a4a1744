//! The daily limit, retries and their end (I4).

use std::time::Duration;

use super::*;
use crate::domain::discrepancy::Code;
use crate::domain::schedule::RetryPolicy;
use crate::domain::status::{Decision, Stage};
use crate::ports::Clock;
use crate::ports::provider::ProviderError;
use crate::ports::store::VerificationReads;
use crate::usecase::RequestError;

fn policy(tries: u32) -> Policy {
    let retry = RetryPolicy {
        tries,
        base: Duration::from_secs(2),
        cap: Duration::from_mins(1),
        give_up_after: Duration::from_hours(1),
    };
    Policy { retry, ..Policy::default() }
}

#[test]
fn a_sixth_verification_in_a_day_is_refused_with_its_time() {
    let world = World::new();
    let registered = Clock::now(&world.clock);
    world.register();
    for _ in 0..4 {
        world.advance(60);
        now(world.kyc.request_verification(&admin(), &a())).unwrap();
    }
    world.advance(60);
    let RequestError::LimitReached { limit, until, .. } =
        now(world.kyc.request_verification(&admin(), &a())).unwrap_err()
    else {
        panic!("the limit")
    };
    assert_eq!((limit, until), (5, registered + SignedDuration::from_hours(24)));
    world.clock.set(until);
    now(world.kyc.request_verification(&admin(), &a())).unwrap();
}

#[test]
fn a_change_past_the_limit_is_stored_and_waits() {
    let world = World::with(Policy { verifications_per_day: 1, ..Policy::default() });
    world.register();
    world.run_due();
    let updated = world.update(|update| update.name = set("Ada King"));
    assert!(updated.reverification.required);
    let status = world.status();
    assert_eq!(status.status, Status::Pending(Stage::Queued));
    let due = status.next_attempt_at.unwrap();
    assert!(due > Clock::now(&world.clock));
    assert!(world.run_due().is_empty());
    // Another change takes the slot of the one that waits, and not one more.
    world.update(|update| update.name = set("Ada Byron"));
    assert_eq!(world.status().next_attempt_at, Some(due));
    world.clock.set(due);
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.provider.submissions().len(), 2);
}

#[test]
fn a_provider_that_fails_twice_is_asked_a_third_time() {
    let world = World::with(policy(4));
    world.register();
    world.provider.answer_with(Err(ProviderError::Transient));
    world.provider.answer_with(Err(ProviderError::Malformed));
    for _ in 0..2 {
        assert_eq!(world.run_due(), [Ran::Deferred]);
        assert_eq!(world.status().status, Status::Pending(Stage::Queued));
        world.advance(4);
    }
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.provider.distinct_submissions(), 1);
}

#[test]
fn after_the_last_try_a_person_decides() {
    for (error, code) in [
        (ProviderError::Transient, Code::ProviderUnavailable),
        (ProviderError::Malformed, Code::UnknownResult),
    ] {
        let world = World::with(policy(3));
        world.register();
        for _ in 0..3 {
            world.provider.answer_with(Err(error));
        }
        for _ in 0..2 {
            assert_eq!(world.run_due(), [Ran::Deferred]);
            world.advance(60);
        }
        assert_eq!(world.run_due(), [Ran::Decided(Decision::Review)]);
        assert_eq!(world.status().status, Status::Pending(Stage::InReview));
        assert_eq!(world.status().discrepancies[0].code, code);
    }
}

#[test]
fn a_refusal_is_not_repeated() {
    let world = World::with(policy(9));
    world.register();
    world.provider.answer_with(Err(ProviderError::Refused));
    assert_eq!(world.run_due(), [Ran::Decided(Decision::Review)]);
    assert_eq!(world.status().discrepancies[0].code, Code::NotAllChecksCompleted);
}

#[test]
fn a_provider_that_asks_to_slow_down_uses_up_no_try_and_is_given_its_delay() {
    let world = World::with(policy(2));
    world.register();
    let slow_down = ProviderError::RateLimited { retry_after: Some(Duration::from_secs(90)) };
    for _ in 0..5 {
        world.provider.answer_with(Err(slow_down));
    }
    for _ in 0..5 {
        assert_eq!(world.run_due(), [Ran::Deferred]);
        world.advance(89);
        assert!(world.run_due().is_empty(), "not before the provider's delay");
        world.advance(1);
    }
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}

#[test]
fn who_is_held_back_by_our_own_cap_waits_and_nobody_was_told() {
    let world = World::with(policy(2));
    world.register();
    let held = ProviderError::HeldBack { retry_after: Duration::from_secs(90) };
    for _ in 0..5 {
        world.provider.answer_with(Err(held));
    }
    let audited = world.actions();
    for _ in 0..5 {
        assert_eq!(world.run_due(), [Ran::Waiting]);
        let there = now(world.store.verification(world.status().verification)).unwrap().unwrap();
        assert!(!there.verification.attempted && there.verification.failures == 0);
        world.advance(89);
        assert!(world.run_due().is_empty(), "not before its turn");
        world.advance(1);
    }
    assert_eq!(world.actions(), audited);
    assert_eq!(now(async { world.kyc.providers(&admin()) }).unwrap()[0].calls, 0);
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);

    let world = World::with(policy(2));
    world.register();
    world.provider.answer_with(Err(ProviderError::HeldBack { retry_after: Duration::from_hours(2) }));
    assert_eq!(world.run_due(), [Ran::Decided(Decision::Review)], "a turn past the end is the end");
}

#[test]
fn a_verification_that_never_ends_is_given_up() {
    let world = World::with(policy(2));
    world.register();
    for _ in 0..10 {
        world.provider.answer_with(Ok(FakeProvider::save(Duration::from_mins(10))));
    }
    let mut ran = Vec::new();
    while world.status().status != Status::Pending(Stage::InReview) {
        ran = world.run_due();
        world.advance(600);
    }
    assert_eq!(ran, [Ran::Decided(Decision::Review)]);
    assert_eq!(world.status().discrepancies[0].code, Code::ProviderUnavailable);
    let slow_down = ProviderError::RateLimited { retry_after: Some(Duration::from_hours(2)) };
    let world = World::with(policy(2));
    world.register();
    world.provider.answer_with(Err(slow_down));
    assert_eq!(world.run_due(), [Ran::Decided(Decision::Review)], "a delay past the end is the end");
}

#[test]
fn who_is_rejected_for_good_or_unknown_gets_no_verification() {
    use crate::domain::discrepancy::{Discrepancy, Severity};
    let world = World::new();
    let unknown = now(world.kyc.request_verification(&admin(), &a())).unwrap_err();
    assert_eq!(unknown, RequestError::Absent(crate::usecase::Absence::NotFound));
    world.register();
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    let rejected = FakeProvider::done(crate::ports::provider::Outcome::Consider, vec![certain]);
    world.provider.answer_with(Ok(rejected));
    world.run_due();
    assert_eq!(now(world.kyc.request_verification(&admin(), &a())).unwrap_err(), RequestError::Final);
}
