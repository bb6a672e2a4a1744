//! A provider that is down for all: it is asked no more for a while, and its customers wait or go to the next.

use std::time::Duration;

use super::*;
use crate::domain::breaker::{BreakerState, Standing};
use crate::domain::discrepancy::Code;
use crate::domain::permission::{Forbidden, Role};
use crate::domain::schedule::RetryPolicy;
use crate::domain::status::Stage;
use crate::fakes::sample_person;
use crate::ports::Clock;
use crate::ports::provider::{ErrorClass, ProviderError};
use crate::ports::store::CustomerReads;
use crate::usecase::{Availability, ProviderView};

const QUEUED: Status = Status::Pending(Stage::Queued);

fn id(number: usize) -> CustomerId {
    CustomerId::parse(&format!("cus-{number}")).unwrap()
}

/// Registers customers, so many from this number on.
fn register(world: &World, from: usize, count: usize) {
    for number in from..from + count {
        now(world.kyc.register(&admin(), registration(id(number).as_str(), sample_person(number)))).unwrap();
    }
}

fn standing(world: &World, number: usize) -> (Status, u32, String) {
    let record = now(world.store.customer(&id(number))).unwrap().unwrap();
    (record.row.status, record.latest.failures, record.latest.provider.to_string())
}

fn views(world: &World) -> Vec<ProviderView> {
    world.kyc.providers(&admin()).unwrap()
}

fn availability(world: &World) -> Vec<Availability> {
    views(world).iter().map(|view| view.availability).collect()
}

/// A world whose first provider has failed ten customers, each once.
fn down(providers: &[&FakeProvider]) -> World {
    let world = World::over(Policy::default(), providers);
    providers[0].fail_with(Some(ProviderError::Transient));
    register(&world, 0, 10);
    assert_eq!(world.run_due(), [Ran::Deferred; 10]);
    world
}

#[test]
fn who_comes_while_the_provider_is_down_waits_and_uses_up_no_try() {
    let world = down(&[&provider("only")]);
    assert_eq!(availability(&world), [Availability::Unavailable]);
    let calls = world.provider.steps();
    register(&world, 10, 1);
    assert_eq!(world.run_due(), [Ran::Waiting]);
    assert_eq!((world.provider.steps(), standing(&world, 10)), (calls, (QUEUED, 0, "only".to_owned())));
    let record = now(world.store.customer(&id(10))).unwrap().unwrap();
    assert!(!record.latest.attempted, "nobody was told");
    let wait = record.latest.due_at.unwrap().duration_since(Clock::now(&world.clock));
    let until = SignedDuration::from_secs(5);
    assert!(wait > until && wait <= until * 3 / 2 + SignedDuration::from_millis(1), "{wait}");
    assert_eq!(world.audit().last().unwrap().event.reason.as_deref(), Some("breaker_open"));

    // An outage of hours leaves one event a customer, and ends nobody's waiting before its time.
    let events = world.audit().len();
    let of_one = || {
        let subject = now(world.store.customer(&id(10))).unwrap().unwrap().row.subject;
        world.audit().iter().filter(|event| event.event.subject == Some(subject)).count()
    };
    let before = of_one();
    for _ in 0..30 {
        world.advance(60);
        world.run_due();
    }
    assert!(world.audit().len() < events + 30 * 3, "a probe at a time");
    assert!(of_one() <= before + 30);
    let (status, ..) = standing(&world, 10);
    assert_eq!(status, QUEUED);
    // It comes back, and everybody is verified.
    world.provider.fail_with(None);
    for _ in 0..10 {
        world.advance(120);
        world.run_due();
    }
    assert_eq!(availability(&world), [Availability::Available]);
    for number in 0..11 {
        assert_eq!(standing(&world, number).0, VERIFIED, "{number}");
    }
}

#[test]
fn an_outage_without_end_is_given_up() {
    let retry = RetryPolicy { give_up_after: Duration::from_mins(30), ..RetryPolicy::default() };
    let world = World::over(Policy { retry, ..Policy::default() }, &[&provider("only")]);
    world.provider.fail_with(Some(ProviderError::Unreachable));
    register(&world, 0, 30);
    for _ in 0..40 {
        world.run_due();
        world.run_due();
        world.run_due();
        world.advance(60);
    }
    for number in 0..30 {
        assert_eq!(standing(&world, number).0, Status::Pending(Stage::InReview), "{number}");
        let found = now(world.store.customer(&id(number))).unwrap().unwrap().latest.discrepancies;
        assert_eq!(found[0].code, Code::ProviderUnavailable);
    }
}

#[test]
fn who_comes_while_the_first_is_down_goes_to_the_second() {
    let (first, second) = (provider("first"), provider("second"));
    let world = down(&[&first, &second]);
    register(&world, 10, 3);
    assert_eq!(world.run_due(), [Ran::Moved; 3]);
    assert_eq!(world.audit().last().unwrap().event.reason.as_deref(), Some("breaker_open"));
    world.run_due();
    for number in 10..13 {
        assert_eq!(standing(&world, number), (VERIFIED, 0, "second".to_owned()));
    }
    // Those whom the first may have taken wait for it.
    for number in 0..10 {
        assert_eq!(standing(&world, number), (QUEUED, 1, "first".to_owned()));
    }
    first.fail_with(None);
    for _ in 0..5 {
        world.advance(60);
        world.run_due();
    }
    for number in 0..10 {
        assert_eq!(standing(&world, number), (VERIFIED, 1, "first".to_owned()));
    }
    assert_eq!((first.distinct_submissions(), second.distinct_submissions()), (10, 3));
}

#[test]
fn one_call_at_a_time_shows_whether_the_provider_is_back() {
    let only = provider("only");
    let world = down(&[&only]);
    register(&world, 10, 5);
    let calls = only.steps();
    world.advance(10);
    // All are due, and one of them is the probe.
    let ran = now(world.kyc.run_due_verifications(100)).unwrap();
    assert_eq!(only.steps(), calls + 1);
    assert_eq!(ran.iter().filter(|ran| **ran == Ran::Deferred).count(), 1, "{ran:?}");
    assert!(ran.iter().all(|ran| matches!(ran, Ran::Deferred | Ran::Waiting)), "{ran:?}");
    assert_eq!(availability(&world), [Availability::Unavailable]);
    assert_eq!(
        views(&world)[0].breaker.retry_at,
        Some(Clock::now(&world.clock) + SignedDuration::from_secs(10))
    );
    world.advance(10);
    assert_eq!(availability(&world), [Availability::Recovering]);
}

#[test]
fn the_bad_luck_of_one_customer_is_not_the_others() {
    let only = provider("only");
    let world = World::over(Policy::default(), &[&only]);
    only.fail_with(Some(ProviderError::Transient));
    register(&world, 0, 1);
    for _ in 0..20 {
        world.run_due();
        world.advance(700);
    }
    assert_eq!(standing(&world, 0).0, Status::Pending(Stage::InReview));
    assert_eq!(availability(&world), [Availability::Available]);
}

#[test]
fn a_provider_that_answers_is_up_whatever_it_says() {
    let only = provider("only");
    for error in [ProviderError::Refused, ProviderError::RateLimited { retry_after: None }] {
        let world = World::over(Policy::default(), &[&only]);
        only.fail_with(Some(error));
        register(&world, 0, 30);
        world.run_due();
        world.run_due();
        world.run_due();
        assert_eq!(availability(&world), [Availability::Available], "{error}");
    }
}

#[test]
fn an_admin_sees_how_the_providers_fare_and_nobody_else_does() {
    let (first, second) = (provider("first"), provider("second"));
    let world = World::over(Policy::default(), &[&first, &second]);
    for role in Role::ALL {
        let seen = world.kyc.providers(&Actor::account("someone", *role).unwrap());
        assert_eq!(seen.err(), (*role != Role::Admin).then_some(Forbidden), "{role}");
    }
    first.answer_with(Err(ProviderError::Malformed));
    register(&world, 0, 2);
    world.run_due();
    let idle = ProviderView {
        name: ProviderName::parse("second").unwrap(),
        availability: Availability::Available,
        breaker: Standing { state: BreakerState::Closed, retry_at: None },
        calls: 0,
        failures: 0,
        latency_p50_ms: None,
        latency_p95_ms: None,
        last_error: None,
    };
    let busy = ProviderView {
        name: ProviderName::parse("first").unwrap(),
        calls: 2,
        failures: 1,
        latency_p50_ms: Some(0),
        latency_p95_ms: Some(0),
        last_error: Some((ErrorClass::Malformed, Clock::now(&world.clock))),
        ..idle.clone()
    };
    assert_eq!(views(&world), [busy, idle]);
    assert_eq!(world.actions().len(), 4, "to look at providers is no event");
}
