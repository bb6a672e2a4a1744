//! What is asked twice under one idempotency key is done once.

use jiff::Timestamp;

use super::*;
use crate::domain::api_key::{ApiKey, ApiKeyForm, KeyName};
use crate::domain::field::Field;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::ApiKeyId;
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Permission, Role};
use crate::ports::Clock;
use crate::ports::store::{CustomerReads, StoreError};
use crate::usecase::{
    Answer, ApiKeyError, Asked, CreateApiKey, PortFailure, RecallError, RegisterError, Rendered,
    RequestError, UpdateError,
};

/// An answer as bytes that show all of it.
fn render(answer: Answer<'_>) -> Rendered {
    let (status, body) = match answer {
        Answer::Registered(view) => (201, format!("{view:?}")),
        Answer::Updated(updated) => (200, format!("{updated:?}")),
        Answer::VerificationQueued(queued) => (202, format!("{queued:?}")),
        Answer::RelationshipRecorded(relationship) => (200, format!("{relationship:?}")),
        Answer::DocumentAdded(added) => (201, format!("{added:?}")),
        Answer::LegalHoldSet(hold) => (200, format!("{hold:?}")),
        Answer::ApiKeyCreated(key) => (201, format!("{key:?}")),
    };
    let headers = vec![("ETag".to_owned(), "\"1\"".to_owned())];
    Rendered { status, headers, body: Secret::new(body.into_bytes()) }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

impl World {
    fn under(&self, actor: &Actor, name: &str, body: &[u8]) -> Kyc {
        let asked = Asked { key: &key(name), method: "POST", path: "/x", body };
        self.kyc.under_key(actor, asked, render)
    }

    fn recall(&self, actor: &Actor, name: &str, body: &[u8]) -> Result<Option<Rendered>, RecallError> {
        now(self.under(actor, name, body).recall(actor, Permission::WriteCustomers))
    }

    fn messages(&self) -> u32 {
        now(self.store.customer(&a())).unwrap().unwrap().row.key.messages
    }
}

fn sample() -> Register {
    registration("a", sample_customer())
}

fn with_role(role: Role) -> Actor {
    let name = KeyName::parse("key").unwrap();
    Actor::of_key(&ApiKey {
        id: ApiKeyId::from_bytes([7; 16]),
        name: name.clone(),
        subject: name,
        role,
        digest: [7; 32],
        allowed_addresses: Vec::new(),
        created_at: FakeClock::START,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    })
}

#[test]
fn an_answer_is_recalled_as_it_was_and_stands_in_the_changeset_of_its_effect() {
    let world = World::new();
    assert_eq!(world.recall(&admin(), "k", b"1"), Ok(None));
    let view = now(world.under(&admin(), "k", b"1").register(&admin(), sample())).unwrap();
    assert_eq!(world.store.commits(), 1, "one changeset");
    assert_eq!(world.messages(), 2, "the data and the answer");
    // What comes after changes nothing of it.
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    let recalled = world.recall(&admin(), "k", b"1").unwrap();
    assert_eq!(recalled, Some(render(Answer::Registered(&view))));
}

#[test]
fn without_a_key_nothing_is_recorded() {
    let world = World::new();
    world.register();
    assert_eq!(world.messages(), 1);
    assert_eq!(now(world.kyc.recall(&admin(), Permission::WriteCustomers)), Ok(None));
    assert_eq!(now(world.kyc.is_recorded()), Ok(false));
}

#[test]
fn another_body_is_told_and_another_scope_is_another_request() {
    let world = World::new();
    now(world.under(&admin(), "k", b"1").register(&admin(), sample())).unwrap();
    for body in [&b""[..], b"2", b"1 "] {
        assert_eq!(world.recall(&admin(), "k", body), Err(RecallError::OtherBody));
    }
    assert_eq!(world.recall(&admin(), "l", b"1"), Ok(None));
    assert_eq!(world.recall(&Actor::admin("other").unwrap(), "k", b"1"), Ok(None));
    assert_eq!(world.recall(&with_role(Role::Admin), "k", b"1"), Ok(None));
    for (method, path) in [("PUT", "/x"), ("POST", "/y"), ("POST/", "x"), ("POST", "/xk")] {
        let asked = Asked { key: &key("k"), method, path, body: b"1" };
        let other = world.kyc.under_key(&admin(), asked, render);
        assert_eq!(now(other.recall(&admin(), Permission::WriteCustomers)), Ok(None), "{method} {path}");
    }
}

#[test]
fn a_request_that_is_refused_or_fails_leaves_its_key_free() {
    let world = World::new();
    let under = || world.under(&admin(), "k", b"1");
    let nameless = Register { form: CustomerForm::default(), ..sample() };
    assert!(matches!(now(under().register(&admin(), nameless)), Err(RegisterError::Invalid(_))));
    world.store.fail_next_commit(StoreError::Overloaded);
    assert!(matches!(now(under().register(&admin(), sample())), Err(RegisterError::Failed(_))));
    assert_eq!(world.recall(&admin(), "k", b"1"), Ok(None));
    assert!(now(world.store.customer(&a())).unwrap().is_none(), "neither the record nor the effect is there");
    now(under().register(&admin(), sample())).unwrap();
    let taken = now(world.under(&admin(), "l", b"1").register(&admin(), sample()));
    assert_eq!(taken, Err(RegisterError::IdTaken));
    assert_eq!(world.recall(&admin(), "l", b"1"), Ok(None));
}

#[test]
fn what_is_done_twice_at_once_is_done_once() {
    let world = World::new();
    let (first, second) = (world.under(&admin(), "k", b"1"), world.under(&admin(), "k", b"1"));
    now(first.register(&admin(), sample())).unwrap();
    // Both had looked before either was done.
    let lost = now(second.register(&admin(), sample()));
    assert_eq!(lost, Err(RegisterError::Failed(PortFailure::InFlight)));
    assert_eq!(now(second.is_recorded()), Ok(true));
    let done = world.store.commits();
    let under = |name| world.under(&admin(), name, b"");
    let (first, second) = (under("v"), under("v"));
    now(first.request_verification(&admin(), &a())).unwrap();
    let lost = now(second.request_verification(&admin(), &a()));
    assert_eq!(lost, Err(RequestError::Failed(PortFailure::InFlight)));
    let change = || Update {
        update: CustomerUpdate { name: set("Ada King"), ..CustomerUpdate::default() },
        ..Update::default()
    };
    let (first, second) = (under("u"), under("u"));
    now(first.update(&admin(), &a(), change())).unwrap();
    let lost = now(second.update(&admin(), &a(), change()));
    assert_eq!(lost, Err(UpdateError::Failed(PortFailure::InFlight)));
    let form =
        || ApiKeyForm { name: Some("app".into()), role: Some("client".into()), ..ApiKeyForm::default() };
    let create = || CreateApiKey { form: form(), ..CreateApiKey::default() };
    let (first, second) = (under("c"), under("c"));
    now(first.create_api_key(&admin(), create())).unwrap();
    let lost = now(second.create_api_key(&admin(), create()));
    assert_eq!(lost.unwrap_err(), ApiKeyError::Failed(PortFailure::InFlight));
    assert_eq!(world.store.commits(), done + 3, "one of each two");
}

#[test]
fn a_change_that_changes_nothing_is_recorded_too() {
    let world = World::new();
    world.register();
    let before = now(world.store.customer(&a())).unwrap().unwrap();
    world.advance(60);
    let under = world.under(&admin(), "k", b"{}");
    let updated = now(under.update(&admin(), &a(), Update::default())).unwrap();
    assert_eq!(world.recall(&admin(), "k", b"{}").unwrap(), Some(render(Answer::Updated(&updated))));
    let after = now(world.store.customer(&a())).unwrap().unwrap();
    assert_eq!((after.row.version, after.row.updated_at), (before.row.version, before.row.updated_at));
    assert_eq!(after.row.key.messages, before.row.key.messages + 1, "the use of the key is counted");
    assert_eq!(
        world.actions()[1..],
        [Action::CustomerRead, Action::CustomerRead],
        "the answer, and the replay"
    );
    // Masked, it has no event, and is recorded all the same.
    let client = with_role(Role::Client);
    now(world.under(&client, "k", b"{}").update(&client, &a(), Update::default())).unwrap();
    assert!(world.recall(&client, "k", b"{}").unwrap().is_some());
    assert_eq!(world.actions().len(), 3);
}

#[test]
fn the_permission_is_decided_before_anything_is_looked_up() {
    let world = World::new();
    let auditor = with_role(Role::Auditor);
    now(world.under(&auditor, "k", b"1").register(&with_role(Role::Client), sample())).unwrap();
    let refused = Err(RecallError::Forbidden(Forbidden));
    assert_eq!(world.recall(&auditor, "k", b"1"), refused);
    assert_eq!(world.recall(&auditor, "k", b"2"), refused);
    world.store.fail_with(Some(StoreError::Unavailable));
    assert_eq!(world.recall(&auditor, "k", b"1"), refused);
}

#[test]
fn a_replay_shows_no_more_than_the_actor_may_see_now() {
    let world = World::new();
    let (admin, client) = (with_role(Role::Admin), with_role(Role::Client));
    now(world.under(&admin, "k", b"1").register(&admin, sample())).unwrap();
    assert_eq!(world.recall(&client, "k", b"1"), Err(RecallError::Forbidden(Forbidden)));
    assert_eq!(world.actions(), [Action::CustomerRegistered]);
    assert!(world.recall(&admin, "k", b"1").unwrap().is_some());
    let event = world.audit().pop().unwrap().event;
    assert_eq!(event.action, Action::CustomerRead);
    assert!(event.fields.contains(&Field::Name) && event.subject.is_some());
    // Where it can't be audited it is not shown.
    world.store.fail_next_commit(StoreError::Unavailable);
    let failed = Err(RecallError::Failed(PortFailure::Store(StoreError::Unavailable)));
    assert_eq!(world.recall(&admin, "k", b"1"), failed);
}

#[test]
fn a_key_is_free_again_after_a_day() {
    let world = World::new();
    let begun: Timestamp = Clock::now(&world.clock);
    now(world.under(&admin(), "k", b"1").register(&admin(), sample())).unwrap();
    world.clock.set(begun + Kyc::RECALLED_FOR - SignedDuration::from_nanos(1));
    assert!(world.recall(&admin(), "k", b"1").unwrap().is_some());
    assert_eq!(now(world.kyc.forget_expired_records(1)), Ok(0));
    world.clock.set(begun + Kyc::RECALLED_FOR);
    assert_eq!(world.recall(&admin(), "k", b"1"), Ok(None));
    assert_eq!(world.recall(&admin(), "k", b"2"), Ok(None));
    // Whether the job has run or not.
    now(world.under(&admin(), "k", b"2").register(&admin(), registration("b", sample_customer()))).unwrap();
    assert!(world.recall(&admin(), "k", b"2").unwrap().is_some());
    for name in ["l", "m"] {
        now(world.under(&admin(), name, b"").update(&admin(), &a(), Update::default())).unwrap();
    }
    world.clock.set(begun + Kyc::RECALLED_FOR * 2);
    assert_eq!(now(world.kyc.forget_expired_records(2)), Ok(2), "three, two at a time");
    assert_eq!(now(world.kyc.forget_expired_records(2)), Ok(0));
}

#[test]
fn a_key_that_was_made_is_told_without_its_secret_as_it_was() {
    let world = World::new();
    let form = ApiKeyForm { name: Some("app".into()), role: Some("client".into()), ..ApiKeyForm::default() };
    let under = world.under(&admin(), "k", b"1");
    let request = CreateApiKey { form, ..CreateApiKey::default() };
    let made = now(under.create_api_key(&admin(), request)).unwrap();
    world.advance(60);
    now(world.kyc.record_key_uses([(made.key.id, Clock::now(&world.clock))])).unwrap();
    now(world.kyc.revoke_api_key(&admin(), made.key.id)).unwrap();
    let told = render(Answer::ApiKeyCreated(&made.key));
    assert_eq!(world.recall(&admin(), "k", b"1").unwrap(), Some(told));
}

#[test]
fn a_rotation_of_the_key_of_digests_in_between_breaks_no_replay() {
    let world = World::new();
    let early = world.under(&admin(), "k", b"1");
    world.cipher.rotate(KeyUse::Fingerprint);
    now(world.under(&admin(), "k", b"1").register(&admin(), sample())).unwrap();
    // One that began before the rotation meets the one that began after it.
    assert_eq!(now(early.is_recorded()), Ok(true));
    let lost = now(early.register(&admin(), registration("b", sample_customer())));
    assert_eq!(lost, Err(RegisterError::Failed(PortFailure::InFlight)));
    world.cipher.rotate(KeyUse::Fingerprint);
    assert!(world.recall(&admin(), "k", b"1").unwrap().is_some());
    assert_eq!(world.recall(&admin(), "k", b"2"), Err(RecallError::OtherBody));
}

#[test]
fn an_answer_that_does_not_open_is_a_failure_and_no_replay() {
    let world = World::new();
    now(world.under(&admin(), "k", b"1").register(&admin(), sample())).unwrap();
    world.cipher.fail_with(Some(crate::ports::cipher::CipherError::Unavailable));
    assert!(matches!(world.recall(&admin(), "k", b"1"), Err(RecallError::Failed(PortFailure::Cipher(_)))));
}
