//! Callbacks: what is genuine has one effect, and what is not has none.

use std::time::Duration;

use super::*;
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::{ProviderName, VerificationId};
use crate::domain::key_use::KeyUse;
use crate::domain::status::{Decision, Stage};
use crate::ports::provider::{
    About, Answer, Callback, CallbackNews, Outcome, Progress, ProviderError, Reference, Step,
};
use crate::ports::store::{StoreError, VerificationReads};
use crate::usecase::{CallbackRefused, Erase, PortFailure, Received};

const APPROVED: Received = Received::Recorded(Ran::Decided(Decision::Approve { valid_until: None }));

fn reference(text: &str) -> Reference {
    Reference::new(text).unwrap()
}

/// The provider has it under this name, and says nothing of when to look again.
fn known_as(text: &str) -> Step {
    let progress = Progress::new(b"theirs".to_vec()).unwrap().known_as(reference(text));
    Step::Save { progress, again_in: None }
}

fn clear() -> Answer {
    Answer { outcome: Outcome::Clear, discrepancies: Vec::new(), raw: Secret::new(b"{}".to_vec()) }
}

impl World {
    /// Customer `a`, whose verification the provider has under the name `chk-1`; it is looked at again in 5 s.
    fn submitted() -> Self {
        let world = Self::new();
        world.register();
        world.provider.answer_with(Ok(known_as("chk-1")));
        assert_eq!(world.run_due(), [Ran::Saved]);
        world
    }

    fn news(&self, about: About, event: &str, answer: Option<Answer>) -> Callback {
        let news = CallbackNews { about, event: Secret::new(event.to_owned()), answer };
        self.provider.callback(news, self.clock_now())
    }

    /// That there is something to fetch.
    fn look(&self, about: &str, event: &str) -> Callback {
        self.news(About::Reference(reference(about)), event, None)
    }

    fn clock_now(&self) -> jiff::Timestamp {
        crate::ports::Clock::now(&self.clock)
    }

    fn receive(&self, callback: &Callback) -> Result<Received, CallbackRefused> {
        now(self.kyc.receive_callback(&ProviderName::parse("fake").unwrap(), callback))
    }

    fn due_at(&self) -> Option<jiff::Timestamp> {
        let record = now(self.store.verification(self.status().verification)).unwrap().unwrap();
        record.verification.due_at
    }

    fn received(&self) -> usize {
        self.actions().into_iter().filter(|action| *action == Action::CallbackReceived).count()
    }
}

#[test]
fn a_callback_without_an_answer_has_the_verification_looked_at_now() {
    let world = World::submitted();
    assert!(world.run_due().is_empty(), "it waits");
    assert_eq!(world.receive(&world.look("chk-1", "e1")), Ok(Received::LooksNow));
    assert_eq!(world.due_at(), Some(world.clock_now()));
    let event = world.audit().pop().unwrap().event;
    assert_eq!((event.action, event.actor.as_str()), (Action::CallbackReceived, "system:callback"));
    assert_eq!(event.verification, Some(world.status().verification));
    assert!(matches!(world.run_due()[..], [Ran::Decided(_)]));
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.provider.distinct_submissions(), 1);
}

#[test]
fn a_callback_wakes_the_workers() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let world = World::submitted();
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let kyc = world.kyc.clone().on_queued(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let callback = world.look("chk-1", "e1");
    let name = ProviderName::parse("fake").unwrap();
    assert_eq!(now(kyc.receive_callback(&name, &callback)), Ok(Received::LooksNow));
    assert_eq!(now(kyc.receive_callback(&name, &callback)), Ok(Received::Repeated));
    assert_eq!(woken.load(Ordering::Relaxed), 1);
}

#[test]
fn the_same_callback_has_one_effect_and_one_event() {
    let world = World::submitted();
    let callback = world.look("chk-1", "e1");
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow));
    world.provider.answer_with(Ok(known_as("chk-1")));
    world.run_due();
    let (due, commits) = (world.due_at(), world.store.commits());
    // The same event in another body, as a provider may send it again.
    for callback in [&callback, &world.look("chk-1", "e1")] {
        assert_eq!(world.receive(callback), Ok(Received::Repeated));
    }
    assert_eq!((world.due_at(), world.store.commits()), (due, commits));
    assert_eq!(world.received(), 1);
    // Another event is another callback.
    assert_eq!(world.receive(&world.look("chk-1", "e2")), Ok(Received::LooksNow));
    assert_eq!(world.received(), 2);
}

#[test]
fn a_repeat_is_known_after_the_fingerprint_key_was_rotated_and_so_is_the_reference() {
    let world = World::submitted();
    world.cipher.rotate(KeyUse::Fingerprint);
    let callback = world.look("chk-1", "e1");
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow), "found by the digest of the older key");
    world.cipher.rotate(KeyUse::Fingerprint);
    assert_eq!(world.receive(&callback), Ok(Received::Repeated));
}

#[test]
fn a_replay_after_the_record_has_gone_is_at_most_one_more_look() {
    let world = World::submitted();
    let callback = world.look("chk-1", "e1");
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow));
    world.provider.answer_with(Ok(known_as("chk-1")));
    world.run_due();
    world.advance(24 * 3600);
    now(world.kyc.forget_expired_records(10)).unwrap();
    world.provider.answer_with(Ok(known_as("chk-1")));
    world.run_due();
    // A provider whose signatures bear no time: the replay is as genuine as the first one.
    let replay = world.look("chk-1", "e1");
    assert_eq!(world.receive(&replay), Ok(Received::LooksNow));
    assert_eq!(world.status().status, Status::Pending(Stage::WithProvider));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED, "by what the provider answered to our question");
    world.advance(25 * 3600);
    assert_eq!(world.receive(&world.look("chk-1", "e1")), Ok(Received::Unchanged));
}

#[test]
fn a_callback_with_an_answer_is_recorded_as_any_answer() {
    let world = World::submitted();
    let id = world.status().verification;
    let callback = world.news(About::Verification(id), "e1", Some(clear()));
    assert_eq!(world.receive(&callback), Ok(APPROVED));
    assert_eq!(world.receive(&callback), Ok(Received::Repeated));
    assert_eq!(world.status().status, VERIFIED);
    let decided = |action: &Action| *action == Action::VerificationDecided;
    assert_eq!(world.actions().iter().filter(|action| decided(action)).count(), 1);
    // Another one about the same, out of order, is kept as evidence of nothing.
    let late = Answer { outcome: Outcome::Consider, ..clear() };
    let late = world.news(About::Verification(id), "e0", Some(late));
    assert_eq!(world.receive(&late), Ok(Received::Recorded(Ran::Ignored)));
    assert_eq!(world.receive(&late), Ok(Received::Repeated));
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.actions().iter().filter(|action| **action == Action::AnswerIgnored).count(), 1);
}

#[test]
fn nothing_is_looked_up_for_a_callback_that_is_not_genuine() {
    let world = World::submitted();
    let genuine = world.look("chk-1", "e1");
    // A store that can't be read would say so.
    world.store.fail_with(Some(StoreError::Unavailable));
    for index in 0..genuine.headers.len() {
        let mut without = genuine.clone();
        without.headers.remove(index);
        assert_eq!(world.receive(&without), Err(CallbackRefused::NotGenuine));
        let mut doubled = genuine.clone();
        doubled.headers.push(genuine.headers[index].clone());
        assert_eq!(world.receive(&doubled), Err(CallbackRefused::NotGenuine), "two signatures are none");
        let mut flipped = genuine.clone();
        flipped.headers[index].1.push('0');
        assert_eq!(world.receive(&flipped), Err(CallbackRefused::NotGenuine));
    }
    let mut edited = genuine.clone();
    edited.body = Secret::new(b"callback 2".to_vec());
    assert_eq!(world.receive(&edited), Err(CallbackRefused::NotGenuine));
    // Too old and too new are told as a wrong signature is.
    for seconds in [-301, 301] {
        let skewed = genuine.received_at + SignedDuration::from_secs(seconds);
        let skewed = Callback { received_at: skewed, ..genuine.clone() };
        assert_eq!(world.receive(&skewed), Err(CallbackRefused::NotGenuine));
    }
    let unavailable = PortFailure::Store(StoreError::Unavailable);
    assert_eq!(world.receive(&genuine), Err(CallbackRefused::Failed(unavailable)), "and this one does");
    world.store.fail_with(None);
    assert_eq!(world.receive(&genuine), Ok(Received::LooksNow));
}

#[test]
fn a_provider_that_is_not_asked_here_is_unknown() {
    let world = World::submitted();
    let callback = world.look("chk-1", "e1");
    let other = ProviderName::parse("other").unwrap();
    assert_eq!(now(world.kyc.receive_callback(&other, &callback)), Err(CallbackRefused::UnknownProvider));
}

#[test]
fn what_can_not_be_kept_is_to_be_sent_again() {
    let world = World::submitted();
    let callback = world.look("chk-1", "e1");
    world.store.fail_next_commit(StoreError::Overloaded);
    let failed = CallbackRefused::Failed(PortFailure::Store(StoreError::Overloaded));
    assert_eq!(world.receive(&callback), Err(failed));
    assert_eq!(world.received(), 0);
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow));
}

#[test]
fn a_callback_before_the_submission_is_written_down_changes_nothing() {
    let world = World::new();
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    let id = claimed.record.verification.id;
    let callback = world.look("chk-1", "e1");
    assert_eq!(world.receive(&callback), Ok(Received::Unchanged));
    let by_id = world.news(About::Verification(id), "e2", None);
    assert_eq!(world.receive(&by_id), Ok(Received::Unchanged));
    world.provider.answer_with(Ok(known_as("chk-1")));
    assert_eq!(now(world.kyc.run(claimed)).unwrap(), Ran::Saved);
    // Since it had no effect, the provider may send it again.
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow));
    assert_eq!(world.received(), 1);
}

#[test]
fn one_that_a_worker_has_is_left_to_the_worker() {
    let world = World::submitted();
    world.advance(5);
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    assert_eq!(world.receive(&world.look("chk-1", "e1")), Ok(Received::Unchanged));
    assert!(now(world.kyc.claim_due(1)).unwrap().is_empty(), "the lease runs");
    assert!(matches!(now(world.kyc.run(claimed)).unwrap(), Ran::Decided(_)));
    assert_eq!(world.provider.steps(), 2);
}

/// The guard of the commit sees the lease, not the look before it: here by a clock that is set back, and else where a
/// worker comes in between.
#[test]
fn a_lease_holds_against_a_callback_that_takes_the_verification_for_one_that_waits() {
    let world = World::submitted();
    world.advance(5);
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.advance(-3);
    assert_eq!(world.receive(&world.look("chk-1", "e1")), Ok(Received::Unchanged));
    world.advance(3);
    assert!(now(world.kyc.claim_due(1)).unwrap().is_empty(), "nobody else is let at it");
    assert!(matches!(now(world.kyc.run(claimed)).unwrap(), Ran::Decided(_)));
    assert_eq!(world.received(), 0);
}

#[test]
fn what_waits_for_another_reason_waits_on() {
    let world = World::with(Policy { verifications_per_day: 1, ..Policy::default() });
    world.register();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    let waits_for_tomorrow = world.status().verification;
    let due = world.due_at();
    assert!(due > Some(world.clock_now()));
    let early = world.news(About::Verification(waits_for_tomorrow), "e1", None);
    assert_eq!(world.receive(&early), Ok(Received::Unchanged));
    assert_eq!(world.due_at(), due);

    let world = World::new();
    world.register();
    world.provider.answer_with(Err(ProviderError::Transient));
    assert_eq!(world.run_due(), [Ran::Deferred]);
    let due = world.due_at();
    let in_doubt = world.news(About::Verification(world.status().verification), "e1", None);
    assert_eq!(world.receive(&in_doubt), Ok(Received::Unchanged));
    assert_eq!(world.due_at(), due);
}

#[test]
fn of_ended_unknown_and_erased_ones_nothing_changes() {
    let world = World::submitted();
    let superseded = world.status().verification;
    world.update(|update| update.name = set("Ada King"));
    let commits = world.store.commits();
    let nobody = VerificationId::from_bytes([7; 16]);
    for (event, about) in [
        ("e1", About::Verification(superseded)),
        ("e2", About::Reference(reference("chk-1"))),
        ("e3", About::Reference(reference("chk-2"))),
        ("e4", About::Verification(nobody)),
    ] {
        assert_eq!(world.receive(&world.news(about, event, None)), Ok(Received::Unchanged), "{event}");
    }
    for (event, about) in [("e5", About::Verification(nobody)), ("e6", About::Reference(reference("chk-2")))]
    {
        let callback = world.news(about, event, Some(clear()));
        assert_eq!(world.receive(&callback), Ok(Received::Unchanged), "{event}");
    }
    assert_eq!(world.store.commits(), commits);

    let world = World::submitted();
    let callback = world.look("chk-1", "e1");
    assert_eq!(world.receive(&callback), Ok(Received::LooksNow));
    let erase = Erase { reason: ErasureReason::CourtOrder, override_retention: true };
    now(world.kyc.erase(&admin(), &a(), erase)).unwrap();
    for event in ["e1", "e2"] {
        assert_eq!(world.receive(&world.look("chk-1", event)), Ok(Received::Unchanged), "{event}");
    }
}

#[test]
fn a_verification_of_another_provider_is_not_touched() {
    let world = World::submitted();
    let id = world.status().verification;
    let other = FakeProvider::named(ProviderName::parse("other").unwrap());
    let providers = Providers::in_order(Arc::new(world.provider.clone()), vec![Arc::new(other.clone())]);
    let ports = Ports {
        store: Arc::new(world.store.clone()),
        providers,
        clock: Arc::new(world.clock.clone()),
        cipher: Arc::new(world.cipher.clone()),
        entropy: Arc::new(world.entropy.clone()),
    };
    let kyc = Kyc::new(ports, Policy::default());
    let commits = world.store.commits();
    for (event, about, answer) in [
        ("e1", About::Verification(id), Some(clear())),
        ("e2", About::Verification(id), None),
        ("e3", About::Reference(reference("chk-1")), None),
    ] {
        let news = CallbackNews { about, event: Secret::new(event.to_owned()), answer };
        let callback = other.callback(news, world.clock_now());
        let named = ProviderName::parse("other").unwrap();
        assert_eq!(now(kyc.receive_callback(&named, &callback)), Ok(Received::Unchanged), "{event}");
    }
    assert_eq!(world.store.commits(), commits);
    // And the same event of two providers is two.
    assert_eq!(world.receive(&world.look("chk-1", "e3")), Ok(Received::LooksNow));
}

#[test]
fn a_callback_ends_the_wait_for_a_customer_on_a_page_of_the_provider() {
    let world = World::new();
    world.register();
    let progress = Progress::new(b"theirs".to_vec()).unwrap().known_as(reference("inq-1"));
    let link = Secret::new("https://vendor.example/x".to_owned());
    world.provider.answer_with(Ok(Step::Ask { progress, link, again_in: Some(Duration::from_hours(6)) }));
    world.run_due();
    assert_eq!(world.status().status, Status::Pending(Stage::AwaitingCustomer));
    assert_eq!(world.receive(&world.look("inq-1", "e1")), Ok(Received::LooksNow));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}
