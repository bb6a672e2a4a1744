//! What is kept as evidence, and what is not: the versions, the events, and no personal data in them.

use super::*;
use crate::ports::store::CustomerReads;

#[test]
fn every_change_of_state_has_its_event_with_actor_and_reason() {
    let world = World::new();
    world.register();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    now(world.kyc.request_verification(&admin(), &a())).unwrap();
    world.run_due();
    let told: Vec<String> = world
        .audit()
        .iter()
        .map(|event| {
            let event = &event.event;
            let show = |word: Option<_>| {
                word.map_or_else(String::new, |word: crate::domain::status::StatusWord| word.to_string())
            };
            let reason = event.reason.clone().unwrap_or_default();
            format!("{} {} [{}] {}>{}", event.actor, event.action, reason, show(event.from), show(event.to))
        })
        .collect();
    assert_eq!(
        told,
        [
            "admin:test customer.registered [registration] >queued",
            "system:worker verification.decided [] queued>verified",
            "admin:test customer.updated [update] verified>queued",
            "admin:test verification.queued [request] queued>queued",
            "system:worker verification.decided [] queued>verified",
        ]
    );
}

#[test]
fn no_event_holds_personal_data() {
    let world = World::new();
    world.register();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    now(world.kyc.customer(&admin(), &a(), Reveal::AsUsual)).unwrap();
    let events = format!("{:?}", world.audit());
    for canary in ["Ada", "Lovelace", "King", "example.com", "442079460958", "1990", "James", "925076473"] {
        assert!(!events.contains(canary), "{canary}");
    }
}

#[test]
fn debug_of_what_the_handle_returns_shows_nothing() {
    let world = World::new();
    world.register();
    let view = now(world.kyc.customer(&admin(), &a(), Reveal::AsUsual)).unwrap();
    let row = now(world.store.customer(&a())).unwrap();
    let shown = format!("{view:?} {row:?} {:?} {:?}", world.kyc, registration("a", sample_customer()));
    for canary in ["Ada", "Lovelace", "example.com", "442079460958", "1990-12-10", "James", "925076473"] {
        assert!(!shown.contains(canary), "{canary}: {shown}");
    }
}

#[test]
fn a_sealed_value_opens_only_in_its_place() {
    use super::super::sealing::{Place, open};
    let world = World::new();
    world.register();
    now(world.kyc.register(&admin(), registration("b", sample_customer()))).unwrap();
    let read = |id: &str| now(world.store.customer(&CustomerId::parse(id).unwrap())).unwrap().unwrap();
    let (first, second) = (read("a"), read("b"));
    assert!(open(&world.cipher, &first.row, Place::Data(1), &first.data).is_ok());
    assert!(open(&world.cipher, &first.row, Place::Data(2), &first.data).is_err());
    assert!(open(&world.cipher, &first.row, Place::Data(1), &second.data).is_err());
    assert!(open(&world.cipher, &first.row, Place::Answer(first.latest.id), &first.data).is_err());
}

#[test]
fn the_wake_up_comes_after_each_commit_that_queues_and_no_other() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let world = World::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let kyc = world.kyc.clone().on_queued(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    now(kyc.register(&admin(), registration("a", sample_customer()))).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let update = CustomerUpdate { email: set("ada@example.org"), ..CustomerUpdate::default() };
    now(kyc.update(&admin(), &a(), Update { update, ..Update::default() })).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 1, "nothing was queued");
    now(kyc.request_verification(&admin(), &a())).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
