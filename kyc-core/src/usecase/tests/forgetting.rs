//! Providers are asked to forget whoever was erased, until they have.

use std::time::Duration;

use super::{World, a, admin, now};
use crate::domain::audit::Action;
use crate::domain::erasure::ErasureReason;
use crate::domain::key_use::KeyUse;
use crate::fakes::FakeProvider;
use crate::ports::provider::{Forgotten, ProviderError};
use crate::ports::store::ForgettingReads;
use crate::usecase::{AskedToForget, Erase};

const OVERRIDING: Erase = Erase { reason: ErasureReason::SubjectRequest, override_retention: true };
const FORGOTTEN: AskedToForget = AskedToForget { forgotten: 1, unsupported: Vec::new(), later: 0 };

fn erase(world: &World) {
    assert_eq!(now(world.kyc.erase(&admin(), &a(), OVERRIDING)), Ok(()));
}

fn ask(world: &World) -> AskedToForget {
    now(world.kyc.run_due_forgettings(100)).unwrap()
}

fn events(world: &World, action: Action) -> usize {
    world.audit().iter().filter(|event| event.event.action == action).count()
}

#[test]
fn who_was_told_is_asked_to_forget_and_who_was_not_is_not() {
    let world = World::new();
    world.register();
    erase(&world);
    assert_eq!(ask(&world), AskedToForget::default(), "no worker had it");

    let world = World::new();
    world.register();
    let id = world.status().verification;
    world.run_due();
    erase(&world);
    assert_eq!(world.provider.forgotten(), [], "an erasure waits for nobody");
    assert_eq!(now(world.kyc.pending_forgettings(9)), Ok(1));
    assert_eq!(ask(&world), FORGOTTEN);
    assert_eq!(world.provider.forgotten(), [id]);
    assert_eq!(events(&world, Action::ProviderForgot), 1);
    assert_eq!(ask(&world), AskedToForget::default());
    assert_eq!(now(world.kyc.pending_forgettings(9)), Ok(0));
}

#[test]
fn the_providers_own_ids_outlive_the_persons_key_until_they_are_used() {
    let world = World::new();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_secs(5))));
    world.register();
    world.run_due();
    erase(&world);
    let kept = now(world.store.forgettings(None, 9)).unwrap();
    assert!(kept[0].progress.is_some());
    assert_eq!(ask(&world), FORGOTTEN);
    assert_eq!(world.provider.forgotten_with(), [Some(b"fake".to_vec())]);
}

#[test]
fn a_provider_that_is_down_is_asked_until_it_is_back() {
    let world = World::new();
    world.register();
    world.run_due();
    erase(&world);
    for error in [
        ProviderError::Unreachable,
        ProviderError::Transient,
        ProviderError::Refused,
        ProviderError::Malformed,
        ProviderError::RateLimited { retry_after: Some(Duration::from_secs(30)) },
    ] {
        world.provider.forget_with(Err(error));
        // A day of outage: each wait ends, and none is longer than an hour.
        for _ in 0..24 {
            assert_eq!(ask(&world), AskedToForget { later: 1, ..AskedToForget::default() }, "{error:?}");
            assert_eq!(ask(&world), AskedToForget::default(), "not again at once");
            world.clock.advance(jiff::SignedDuration::from_hours(1));
        }
    }
    assert_eq!(events(&world, Action::ProviderForgetsLater), 1, "an outage needs no event for each try");
    world.provider.forget_with(Ok(Forgotten::Done));
    assert_eq!(ask(&world), FORGOTTEN);
}

#[test]
fn a_provider_that_can_not_forget_is_named_and_asked_no_more() {
    let world = World::new();
    world.register();
    world.run_due();
    erase(&world);
    world.provider.forget_with(Ok(Forgotten::Unsupported));
    assert_eq!(ask(&world).unsupported.len(), 1);
    assert_eq!(events(&world, Action::ProviderCantForget), 1);
    assert_eq!(ask(&world), AskedToForget::default());
}

#[test]
fn a_rotation_of_master_keys_takes_what_is_still_to_be_forgotten_along() {
    let world = World::new();
    world.provider.answer_with(Ok(FakeProvider::save(Duration::from_secs(5))));
    world.register();
    world.run_due();
    erase(&world);
    world.cipher.rotate(KeyUse::Master);
    let rewrapped = world.rewrap(KeyUse::Master);
    assert_eq!((rewrapped.customers, rewrapped.left), (1, 0));
    assert_eq!(ask(&world), FORGOTTEN);
    assert_eq!(world.provider.forgotten_with(), [Some(b"fake".to_vec())]);
}
