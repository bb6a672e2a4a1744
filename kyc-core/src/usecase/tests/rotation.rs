//! Keys are rotated while everything goes on.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use jiff::SignedDuration;

use super::*;
use crate::domain::customer::{FingerprintKind, SearchForm};
use crate::domain::erasure::ErasureReason;
use crate::domain::field::Field;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::{ChangesetId, SubjectId};
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Role};
use crate::fakes::FakeClock;
use crate::ports::Cipher;
use crate::ports::cipher::{
    CipherError, Context as Place, DigestPurpose, Digests, Fingerprint, KeyVersions, Sealed, WrappedKey,
};
use crate::ports::store::{
    Changeset, Conflict, CustomerFilter, CustomerReads, CustomerRow, KeyCount, KeyReads, PageRequest, Store,
    StoreError, Write,
};
use crate::usecase::{
    Asked, Erase, Providers, RETIREMENT_DELAY, RegisterError, Rendered, RetireError, RewrapError, Rewrapped,
    RotateError, Search,
};

/// The use case, to be polled: it waits after each page, so that it can be stopped there.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
    panic!("it does not end");
}

/// Polls so often, and drops it: what a kill does.
fn run_and_kill<T>(future: impl Future<Output = T>, polls: usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        assert!(future.as_mut().poll(&mut context).is_pending(), "it ended before it was killed");
    }
}

fn id(n: usize) -> CustomerId {
    CustomerId::parse(&format!("c{n}")).unwrap()
}

impl World {
    fn register_many(&self, count: usize) {
        for n in 0..count {
            now(self.kyc.register(&admin(), registration(&format!("c{n}"), sample_customer()))).unwrap();
        }
    }

    pub(super) fn rewrap(&self, of: KeyUse) -> Rewrapped {
        run(self.kyc.rewrap(&operator(), of, &|_, _| {})).unwrap()
    }

    fn counts(&self, of: KeyUse) -> Vec<(u32, u64)> {
        let counts = now(self.store.key_counts(of)).unwrap();
        counts.into_iter().map(|KeyCount { version, customers }| (version, customers)).collect()
    }

    fn rows(&self) -> Vec<CustomerRow> {
        let page = PageRequest { after: None, limit: 10_000 };
        let records = now(self.store.customers(CustomerFilter::default(), page)).unwrap();
        records.into_iter().map(|record| record.row).collect()
    }

    fn row(&self, n: usize) -> CustomerRow {
        now(self.store.customer(&id(n))).unwrap().unwrap().row
    }

    /// Writes a row as nobody asked for it.
    fn put(&self, row: CustomerRow) {
        let id = ChangesetId::new(FakeClock::START, [1; 10]);
        let writes = vec![Write::UpdateCustomer(row)];
        now(self.store.commit(Changeset {
            id,
            guards: Vec::new(),
            writes,
            audit: Vec::new(),
            idempotency: None,
        }))
        .unwrap();
    }

    fn found(&self) -> usize {
        let form = SearchForm { email: text("ada@example.com"), ..SearchForm::default() };
        now(self.kyc.search(&admin(), Search { form, ..Search::default() })).unwrap().len()
    }

    /// The targets of the events of a kind.
    fn targets(&self, action: Action) -> Vec<String> {
        let events = self.audit().into_iter().filter(|event| event.event.action == action);
        events.map(|event| event.event.target.unwrap()).collect()
    }
}

fn operator() -> Actor {
    Actor::operator(0)
}

fn rewrapped(customers: u64) -> Rewrapped {
    Rewrapped { customers, ..Rewrapped::default() }
}

#[test]
fn every_data_key_is_put_under_the_new_master_key_and_the_old_one_then_opens_nothing() {
    let world = World::new();
    world.register_many(250);
    let before = world.rows();
    assert_eq!(now(world.kyc.rotate_key(&operator(), KeyUse::Master, 2)), Ok(()));
    assert_eq!(world.cipher.rotate(KeyUse::Master), 2);
    world.advance(5);
    let told = Mutex::new(Vec::new());
    let progress = |done, total| told.lock().unwrap().push((done, total));
    let done = run(world.kyc.rewrap(&operator(), KeyUse::Master, &progress)).unwrap();
    assert_eq!(done, rewrapped(250));
    assert_eq!(world.counts(KeyUse::Master), [(2, 250)]);
    assert_eq!(*told.lock().unwrap(), [(0, 250), (100, 250), (200, 250), (250, 250), (250, 250)]);
    for (before, after) in before.iter().zip(world.rows()) {
        assert_ne!(after.key.wrapped.bytes, before.key.wrapped.bytes);
        // Nothing else of the row changes, and nothing at all that is shown.
        let key = crate::ports::cipher::DataKey { wrapped: after.key.wrapped.clone(), ..before.key.clone() };
        assert_eq!(after, CustomerRow { revision: before.revision + 1, key, ..before.clone() });
    }
    assert_eq!(world.targets(Action::KeysRotated), ["master_key:2"]);
    assert_eq!(world.targets(Action::KeysRewrapped), ["master_key:2"; 3], "an event a page");

    let only_old = FakeCipher::new();
    world.cipher.retire(KeyUse::Master, 1);
    for row in world.rows() {
        assert_eq!(only_old.rewrap(&row.key.wrapped, row.subject), Err(CipherError::UnknownKeyVersion(2)));
    }
    for n in 0..250 {
        now(world.kyc.customer(&admin(), &id(n), Reveal::AsUsual)).unwrap();
    }
    assert_eq!(world.rewrap(KeyUse::Master), rewrapped(0), "there is nothing more to do");
}

#[test]
fn a_rewrap_that_is_killed_between_two_pages_goes_on_where_it_was() {
    for of in KeyUse::ALL {
        let world = World::new();
        world.register_many(450);
        world.cipher.rotate(*of);
        for (polls, left) in [(1, 350), (2, 150), (1, 50)] {
            run_and_kill(world.kyc.rewrap(&operator(), *of, &|_, _| {}), polls);
            assert_eq!(world.counts(*of), [(1, left), (2, 450 - left)], "{of}");
            let unfinished = Err(RotateError::Unfinished { customers: left });
            assert_eq!(now(world.kyc.rotate_key(&operator(), *of, 3)), unfinished, "it is finished first");
            assert_eq!(world.found(), 100, "everybody is found meanwhile");
        }
        assert_eq!(world.rewrap(*of), rewrapped(50));
        assert_eq!(world.counts(*of), [(2, 450)]);
        assert_eq!(now(world.kyc.rotate_key(&operator(), *of, 3)), Ok(()));
    }
}

#[test]
fn a_customer_who_changes_meanwhile_is_read_again() {
    let world = World::new();
    world.register_many(120);
    world.cipher.rotate(KeyUse::Master);
    world.store.fail_next_commit(Conflict::Revision);
    world.store.fail_next_commit(Conflict::Revision);
    assert_eq!(world.rewrap(KeyUse::Master), rewrapped(120));
    assert_eq!(world.counts(KeyUse::Master), [(2, 120)]);
    // The first page one by one, the second as a whole.
    assert_eq!(world.targets(Action::KeysRewrapped).len(), 100 + 1);
}

#[test]
fn whoever_came_under_the_old_version_late_is_found_by_the_next_walk() {
    let world = World::new();
    world.register_many(3);
    world.cipher.rotate(KeyUse::Master);
    // A change that was read before the page, and is written behind it.
    let late = Mutex::new(Some(world.row(2)));
    let progress = |done, _| {
        if done == 3
            && let Some(row) = late.lock().unwrap().take()
        {
            let row = CustomerRow { revision: 7, ..row };
            world.put(row);
        }
    };
    let done = run(world.kyc.rewrap(&operator(), KeyUse::Master, &progress)).unwrap();
    assert_eq!(done, rewrapped(4));
    assert_eq!((world.counts(KeyUse::Master), world.row(2).revision), (vec![(2, 3)], 8));
}

#[test]
fn a_key_that_was_altered_is_told_and_keeps_nobody_else_back() {
    for of in KeyUse::ALL {
        let world = World::new();
        world.register_many(5);
        let mut row = world.row(3);
        row.key.wrapped.bytes[20] ^= 1;
        world.put(row);
        world.cipher.rotate(*of);
        let done = world.rewrap(*of);
        assert_eq!(done, Rewrapped { customers: 4, left: 1, unreadable: vec![id(3)] });
        world.advance(61);
        let needed = Err(RetireError::StillNeeded { customers: 1 });
        assert_eq!(now(world.kyc.retire_key(&operator(), *of, 1, FakeClock::START)), needed);
    }
}

#[test]
fn a_port_that_fails_stops_it_and_what_was_done_stays() {
    let world = World::new();
    world.register_many(150);
    world.cipher.rotate(KeyUse::Master);
    let full = StoreError::Unavailable;
    let fail = |done, _| world.store.fail_with((done == 100).then_some(full));
    let failed = run(world.kyc.rewrap(&operator(), KeyUse::Master, &fail));
    assert_eq!(failed, Err(RewrapError::Failed(full.into())));
    world.store.fail_with(None);
    assert_eq!(world.counts(KeyUse::Master), [(1, 50), (2, 100)]);

    world.cipher.fail_with(Some(CipherError::Unavailable));
    let failed = run(world.kyc.rewrap(&operator(), KeyUse::Master, &|_, _| {}));
    assert_eq!(failed, Err(RewrapError::Failed(CipherError::Unavailable.into())));
    world.cipher.fail_with(None);
    assert_eq!(world.rewrap(KeyUse::Master), rewrapped(50));
}

#[test]
fn search_works_before_during_and_after_a_rotation_of_the_fingerprint_key() {
    let world = World::new();
    world.register_many(99);
    assert_eq!(world.found(), 99);
    assert_eq!(world.cipher.rotate(KeyUse::Fingerprint), 2);
    assert_eq!(world.found(), 99, "under the old version");
    // One is moved by a change of the own, one registers under the new version.
    let update = CustomerUpdate { phone_number: set("+442079460959"), ..CustomerUpdate::default() };
    now(world.kyc.update(&admin(), &id(5), Update { update, ..Update::default() })).unwrap();
    now(world.kyc.register(&admin(), registration("new", sample_customer()))).unwrap();
    assert_eq!(world.counts(KeyUse::Fingerprint), [(1, 98), (2, 2)]);
    assert_eq!(world.found(), 100, "under both");
    let keys_before: Vec<_> = world.rows().into_iter().map(|row| row.key).collect();
    assert_eq!(world.rewrap(KeyUse::Fingerprint), rewrapped(98));
    let keys_after: Vec<_> = world.rows().into_iter().map(|row| row.key).collect();
    assert_eq!(keys_after, keys_before, "the data keys are left alone");
    assert_eq!(world.found(), 100, "under the new one");
    world.cipher.retire(KeyUse::Fingerprint, 1);
    assert_eq!(world.found(), 100, "and without the old one");
    assert_eq!(world.targets(Action::KeysRewrapped), ["fingerprint_key:2"]);
    let searches = world.audit().into_iter().filter(|event| event.event.action == Action::CustomersSearched);
    assert!(searches.into_iter().all(|event| event.event.fields == [Field::Email]), "one event a search");
}

/// A cipher in whose calls something else happens, once: when data keys are wrapped again, or fingerprints made
/// to look somebody up by.
struct Interrupted {
    inner: FakeCipher,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Interrupted {
    fn interrupt(&self) {
        let then = self.then.lock().unwrap().take();
        if let Some(then) = then {
            then();
        }
    }
}

impl World {
    /// The same service, in which `then` happens in the next call of the cipher that can be interrupted.
    fn interrupted(&self, then: impl FnOnce() + Send + 'static) -> Kyc {
        let cipher = Interrupted { inner: self.cipher.clone(), then: Mutex::new(Some(Box::new(then))) };
        let ports = Ports {
            store: Arc::new(self.store.clone()),
            providers: Providers::one(Arc::new(self.provider.clone())),
            clock: Arc::new(self.clock.clone()),
            cipher: Arc::new(cipher),
            entropy: Arc::new(self.entropy.clone()),
        };
        Kyc::new(ports, Policy::default())
    }
}

impl Cipher for Interrupted {
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        self.inner.new_data_key(subject)
    }

    fn seal(&self, key: &WrappedKey, place: &Place<'_>, plaintext: &[u8]) -> Result<Sealed, CipherError> {
        self.inner.seal(key, place, plaintext)
    }

    fn open(
        &self,
        key: &WrappedKey,
        place: &Place<'_>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError> {
        self.inner.open(key, place, sealed)
    }

    fn rewrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        self.interrupt();
        self.inner.rewrap(key, subject)
    }

    fn current_versions(&self) -> KeyVersions {
        self.inner.current_versions()
    }

    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint {
        self.inner.fingerprint(kind, normalised)
    }

    fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        self.inner.digests(purpose, parts)
    }

    fn fingerprints(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Vec<Fingerprint> {
        let fingerprints = self.inner.fingerprints(kind, normalised);
        self.interrupt();
        fingerprints
    }
}

#[test]
fn a_search_that_began_before_a_rotation_finds_whom_it_moved() {
    let world = World::new();
    world.register_many(3);
    let (kyc, cipher) = (world.kyc.clone(), world.cipher.clone());
    let then = move || {
        cipher.rotate(KeyUse::Fingerprint);
        run(kyc.rewrap(&operator(), KeyUse::Fingerprint, &|_, _| {})).unwrap();
    };
    let form = SearchForm { email: text("ada@example.com"), ..SearchForm::default() };
    let search = Search { form, ..Search::default() };
    let found = now(world.interrupted(then).search(&admin(), search)).unwrap();
    assert_eq!(found.len(), 3);
}

#[test]
fn a_change_between_the_read_of_a_page_and_its_commit_is_not_overwritten() {
    let world = World::new();
    world.register_many(3);
    world.cipher.rotate(KeyUse::Master);
    let kyc = world.kyc.clone();
    let then = move || {
        let update = CustomerUpdate { email: set("ada@example.org"), ..CustomerUpdate::default() };
        now(kyc.update(&admin(), &id(1), Update { update, ..Update::default() })).unwrap();
    };
    let done = run(world.interrupted(then).rewrap(&operator(), KeyUse::Master, &|_, _| {})).unwrap();
    assert_eq!((done, world.counts(KeyUse::Master)), (rewrapped(3), vec![(2, 3)]));
    let row = world.row(1);
    assert_eq!((row.version, row.key.messages), (2, 2), "what was changed and counted stays");
    assert_eq!(world.targets(Action::KeysRewrapped).len(), 3, "one by one, each read again");
}

#[test]
fn a_version_is_retired_when_nothing_needs_it_and_nothing_on_its_way_can() {
    for of in KeyUse::ALL {
        let world = World::new();
        world.register_many(2);
        let since = world.cipher.rotate(*of);
        assert_eq!(since, 2);
        let since = FakeClock::START;
        let retire = |version| now(world.kyc.retire_key(&operator(), *of, version, since));
        assert_eq!(retire(2), Err(RetireError::Current));
        assert_eq!(retire(1), Err(RetireError::TooSoon { seconds: 60 }));
        world.clock.advance(SignedDuration::from_millis(59_001));
        assert_eq!(retire(1), Err(RetireError::TooSoon { seconds: 1 }));
        world.clock.set(FakeClock::START + RETIREMENT_DELAY);
        assert_eq!(retire(1), Err(RetireError::StillNeeded { customers: 2 }));
        world.rewrap(*of);
        assert_eq!(now(world.kyc.may_retire(&operator(), *of, 1, since)), Ok(()));
        assert_eq!(
            world.targets(Action::KeysRetired),
            [""; 0],
            "neither a refusal nor a question is an event"
        );
        assert_eq!(retire(1), Ok(()));
        assert_eq!(world.targets(Action::KeysRetired), [format!("{of}_key:1")]);
    }
}

#[test]
fn who_was_erased_is_known_again_after_a_rotation_and_keeps_the_fingerprint_key() {
    let world = World::new();
    world.register();
    let request = Erase { reason: ErasureReason::SubjectRequest, override_retention: true };
    now(world.kyc.erase(&admin(), &a(), request)).unwrap();
    for of in KeyUse::ALL {
        world.cipher.rotate(*of);
        world.rewrap(*of);
    }
    let again = now(world.kyc.register(&admin(), registration("a", sample_customer())));
    assert_eq!(again.unwrap_err(), RegisterError::Erased);
    world.advance(100_000);
    let retire = |of| now(world.kyc.may_retire(&operator(), of, 1, FakeClock::START));
    assert_eq!(retire(KeyUse::Master), Ok(()));
    assert_eq!(retire(KeyUse::Fingerprint), Err(RetireError::Remembers { customers: 1 }));
}

#[test]
fn a_fingerprint_key_stays_for_as_long_as_requests_are_known_again_by_it_alone() {
    let world = World::new();
    let under = |key: &str| {
        let key = IdempotencyKey::parse(key).unwrap();
        let asked = Asked { key: &key, method: "POST", path: "/customers", body: b"{}" };
        world.kyc.under_key(&admin(), asked, |_| Rendered {
            status: 201,
            headers: Vec::new(),
            body: Secret::new(Vec::new()),
        })
    };
    now(under("early").register(&admin(), registration("a", sample_customer()))).unwrap();
    for of in KeyUse::ALL {
        world.cipher.rotate(*of);
        world.rewrap(*of);
    }
    let since = FakeClock::START;
    world.advance(70);
    let retire = |of| now(world.kyc.may_retire(&operator(), of, 1, since));
    assert_eq!(retire(KeyUse::Master), Ok(()), "the master key has nothing to do with it");
    let seconds = 24 * 3600 + 60 - 70;
    assert_eq!(retire(KeyUse::Fingerprint), Err(RetireError::Recalled { seconds }));
    // One that was made under both versions is known again without the older one.
    now(under("late").register(&admin(), registration("b", sample_customer()))).unwrap();
    world.advance(seconds - 1);
    assert_eq!(retire(KeyUse::Fingerprint), Err(RetireError::Recalled { seconds: 1 }));
    now(world.kyc.forget_expired_records(10)).unwrap();
    assert_eq!(retire(KeyUse::Fingerprint), Ok(()), "the early one is forgotten");
    world.cipher.retire(KeyUse::Fingerprint, 1);
    assert_eq!(now(under("late").is_recorded()), Ok(true));
}

#[test]
fn what_leaves_no_event_does_not_happen() {
    let world = World::new();
    world.advance(61);
    let full = StoreError::Unavailable;
    world.store.fail_next_commit(full);
    let rotated = now(world.kyc.rotate_key(&operator(), KeyUse::Master, 2));
    assert_eq!(rotated, Err(RotateError::Failed(full.into())));
    world.store.fail_next_commit(full);
    let retired = now(world.kyc.retire_key(&operator(), KeyUse::Master, 7, FakeClock::START));
    assert_eq!(retired, Err(RetireError::Failed(full.into())));
}

#[test]
fn no_api_key_of_any_role_rotates_keys_or_learns_what_is_under_them() {
    let world = World::new();
    world.store.fail_with(Some(StoreError::Unavailable));
    for role in Role::ALL {
        let actor = Actor::account("test", *role).unwrap();
        let kyc = &world.kyc;
        assert_eq!(
            now(kyc.rewrap(&actor, KeyUse::Master, &|_, _| {})),
            Err(RewrapError::Forbidden(Forbidden))
        );
        let forbidden = RotateError::Forbidden(Forbidden);
        assert_eq!(now(kyc.rotate_key(&actor, KeyUse::Master, 2)), Err(forbidden));
        assert_eq!(now(kyc.key_counts(&actor, KeyUse::Master)), Err(forbidden));
        let forbidden = Err(RetireError::Forbidden(Forbidden));
        assert_eq!(now(kyc.may_retire(&actor, KeyUse::Master, 1, FakeClock::START)), forbidden);
        assert_eq!(now(kyc.retire_key(&actor, KeyUse::Master, 1, FakeClock::START)), forbidden);
    }
}
