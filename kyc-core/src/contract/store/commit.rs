//! Cases: a changeset is applied whole and in order, or not at all.

use jiff::Timestamp;

use super::rows::{
    api_key, api_key_id, at, changeset, count, customer_id, days, digest, fingerprint, idempotency_key,
    record, registration, registration_of, row, sealed, subject, update, verification, verification_id,
    verification_record,
};
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::CustomerId;
use crate::domain::report::DayCount;
use crate::domain::status::StatusKind;
use crate::domain::verification::{Cause, Event, Verification};
use crate::ports::Store;
use crate::ports::cipher::{Fingerprint, Sealed};
use crate::ports::store::{
    Changeset, Claim, Conflict, CustomerFilter, CustomerRecord, CustomerRow, Guard, PageRequest, Queue,
    Recorded, Write,
};

pub(super) async fn commit(store: &dyn Store, changeset: Changeset) {
    store.commit(changeset).await.expect("a changeset that nothing speaks against is applied");
}

pub(super) async fn customer(store: &dyn Store, id: &CustomerId) -> CustomerRecord {
    let record = store.customer(id).await.expect("a read works").expect("the customer is there");
    let standing = store.standing(id).await.expect("a read works").expect("the customer is there");
    assert_eq!((&standing.row, &standing.latest), (&record.row, &record.latest), "the same without the data");
    record
}

pub(super) async fn registered(store: &dyn Store, numbers: impl IntoIterator<Item = u32>) {
    for n in numbers {
        commit(store, registration(n)).await;
    }
}

pub(super) async fn counts(store: &dyn Store) -> Vec<DayCount> {
    let mut counts = store.counts(days()).await.expect("a read works");
    // Whether a counter that came back to nothing is told is the store's own affair.
    counts.retain(|counter| counter.count != 0);
    counts.sort_unstable();
    counts
}

/// What can be read of a store with few customers, to compare it with what can be read later.
pub(super) async fn everything(store: &dyn Store) -> impl PartialEq + std::fmt::Debug + use<> {
    let page = PageRequest { after: None, limit: 1000 };
    let customers = store.customers(CustomerFilter::default(), page).await.expect("a read works");
    let (mut verifications, mut answers, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for record in &customers {
        verifications.extend(store.verifications(record.row.subject).await.expect("a read works"));
    }
    for n in 0..10 {
        answers.push(store.answer(verification_id(n)).await.expect("a read works"));
        for kind in FingerprintKind::ALL {
            found.push(having(store, fingerprint(*kind, n)).await);
        }
    }
    let expired = store.expired_customers(at(u32::MAX), 1000).await.expect("a read works");
    let next_due = store.next_due(Queue::Verifications).await.expect("a read works");
    let audit = store.audit_events(0, 1000).await.expect("a read works");
    let keys = store.api_keys().await.expect("a read works");
    let recorded = recorded(store).await;
    let erasures = store.erasures(None, 1000).await.expect("a read works");
    let (mut versions, mut subjects) = (Vec::new(), (0..10).map(subject).collect::<Vec<_>>());
    subjects.extend(customers.iter().map(|record| record.row.subject));
    for subject in subjects {
        versions.push(store.versions(subject).await.expect("a read works"));
    }
    let queues = (expired, next_due, recorded);
    (customers, verifications, answers, found, queues, audit, keys, counts(store).await, erasures, versions)
}

/// What is recorded under the first idempotency keys, and when it expires.
async fn recorded(store: &dyn Store) -> (Vec<Option<Recorded>>, Option<Timestamp>) {
    let mut all = Vec::new();
    for n in 0..10 {
        all.push(store.recorded(idempotency_key(n)).await.expect("a read works"));
    }
    (all, store.next_expiry().await.expect("a read works"))
}

async fn having(store: &dyn Store, fingerprint: Fingerprint) -> Vec<CustomerId> {
    let found = store.customers_by_fingerprints(&[fingerprint], 1000).await.expect("a read works");
    found.into_iter().map(|record| record.row.customer_id).collect()
}

/// Commits what has to fail, and compares the store with what it was.
pub(super) async fn refused(store: &dyn Store, changeset: Changeset, conflict: Option<Conflict>) {
    let before = everything(store).await;
    let outcome = store.commit(changeset).await;
    match conflict {
        Some(conflict) => assert_eq!(outcome, Err(conflict.into())),
        None => assert!(outcome.is_err(), "the changeset must be refused"),
    }
    assert_eq!(everything(store).await, before, "nothing of a refused changeset may stay");
}

pub(super) async fn a_fresh_store_is_empty_and_ready(store: &dyn Store) {
    assert_eq!(store.ready().await, Ok(()));
    assert_eq!(store.customer(&customer_id(1)).await, Ok(None));
    assert_eq!(store.standing(&customer_id(1)).await, Ok(None));
    assert_eq!(
        store.customers(CustomerFilter::default(), PageRequest { after: None, limit: 9 }).await,
        Ok(vec![])
    );
    assert_eq!(having(store, fingerprint(FingerprintKind::Email, 1)).await, []);
    assert_eq!(store.expired_customers(Timestamp::MAX, 9).await, Ok(vec![]));
    assert_eq!(store.verification(verification_id(1)).await, Ok(None));
    assert_eq!(store.verifications(subject(1)).await, Ok(vec![]));
    assert_eq!(store.answer(verification_id(1)).await, Ok(None));
    assert_eq!(store.next_due(Queue::Verifications).await, Ok(None));
    assert_eq!(store.counts(days()).await, Ok(vec![]));
    assert_eq!(store.audit_events(0, 9).await, Ok(vec![]));
    for subject in [None, Some(subject(1))] {
        assert_eq!(store.audit_events_before(subject, None, 9).await, Ok(vec![]));
    }
    assert_eq!(store.customer_ids(&[subject(1)]).await, Ok(vec![]));
    assert_eq!(store.api_key_by_digest(digest(1)).await, Ok(None));
    assert_eq!(store.api_keys().await, Ok(vec![]));
    assert_eq!(store.recorded(idempotency_key(1)).await, Ok(None));
    assert_eq!(store.next_expiry().await, Ok(None));
    assert_eq!(store.erasure(&[fingerprint(FingerprintKind::CustomerId, 1)]).await, Ok(None));
    assert_eq!(store.erasures(None, 9).await, Ok(vec![]));
    assert_eq!(store.versions(subject(1)).await, Ok(vec![]));
    assert_eq!(store.retention_due(jiff::civil::Date::MAX, None, 9).await, Ok(vec![]));
    let claim = Claim { queue: Queue::Verifications, limit: 9, now: at(1), until: at(2) };
    assert_eq!(store.claim(claim).await, Ok(vec![]));
}

pub(super) async fn a_registration_is_read_back_by_every_read(store: &dyn Store) {
    for n in 1..=3 {
        commit(store, registration(n)).await;
        assert_eq!(customer(store, &customer_id(n)).await, record(n));
        let page = PageRequest { after: None, limit: 1 };
        assert_eq!(store.customers(CustomerFilter::default(), page).await, Ok(vec![record(n)]));
        for kind in FingerprintKind::ALL {
            assert_eq!(having(store, fingerprint(*kind, n)).await, [customer_id(n)]);
        }
        assert_eq!(store.verification(verification_id(n)).await, Ok(Some(verification_record(n))));
        assert_eq!(store.verifications(subject(n)).await, Ok(vec![verification(n)]));
        assert_eq!(store.answer(verification_id(n)).await, Ok(None));
        assert_eq!(counts(store).await, [count(StatusKind::Pending, i64::from(n))]);
    }
}

pub(super) async fn a_taken_customer_id_is_a_conflict_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1]).await;
    let taken = |n| CustomerRow { customer_id: customer_id(1), ..row(n) };
    refused(store, registration_of(taken(2), 2), Some(Conflict::CustomerIdTaken)).await;

    // All that can be written stands before the write that fails, some of it twice, and none may stay.
    let mut all = registration(2);
    let mut first = row(1);
    for failures in [7, 8] {
        all.writes.extend(update(2, &mut first).writes);
        all.writes.push(Write::Count(count(StatusKind::Pending, 1)));
        all.writes.push(Write::PutVerification(Verification { failures, ..verification(1) }));
    }
    all.writes.push(Write::PutAnswer { verification: verification_id(1), answer: sealed(1), at: at(1) });
    all.writes.push(Write::ReplaceFingerprints { subject: subject(1), fingerprints: vec![] });
    all.writes.push(Write::InsertVersion { subject: subject(1), version: 2, data: sealed(2), at: at(2) });
    all.writes.push(Write::InsertApiKey(api_key(1)));
    all.writes.push(Write::TouchApiKey { id: api_key_id(1), at: at(2) });
    all.writes.push(Write::RevokeApiKey { id: api_key_id(1), at: at(2) });
    all.writes.push(Write::InsertCustomer(taken(3)));
    refused(store, all, Some(Conflict::CustomerIdTaken)).await;
    assert_eq!(customer(store, &customer_id(1)).await, record(1));

    // What was taken back can be written again.
    registered(store, [2]).await;
    let data = Write::InsertVersion { subject: subject(1), version: 2, data: sealed(3), at: at(3) };
    commit(store, changeset(3, vec![data])).await;
}

pub(super) async fn ids_that_differ_in_case_alone_are_two_customers(store: &dyn Store) {
    let ids =
        ["a", "A", "a-", "a_", "a.", "a0", "a00"].map(|id| CustomerId::parse(id).expect("a well-formed id"));
    for (n, id) in (1..).zip(&ids) {
        commit(store, registration_of(CustomerRow { customer_id: id.clone(), ..row(n) }, n)).await;
    }
    for (n, id) in (1..).zip(&ids) {
        assert_eq!(customer(store, id).await.row.subject, subject(n), "{id}");
    }
}

pub(super) async fn a_stale_revision_is_a_conflict_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1]).await;
    let mut current = row(1);
    let stale = update(2, &mut current);
    commit(store, stale.clone()).await;
    refused(store, stale, Some(Conflict::Revision)).await;
    for (subject, revision) in [(subject(1), 0), (subject(1), 3), (subject(2), 1), (subject(2), 0)] {
        let guards = vec![Guard::Revision { subject, revision }];
        let changeset =
            Changeset { guards, ..changeset(3, vec![Write::Count(count(StatusKind::Pending, 1))]) };
        refused(store, changeset, Some(Conflict::Revision)).await;
    }
    assert_eq!(customer(store, &customer_id(1)).await.row, current);
    commit(store, update(4, &mut current)).await;
}

pub(super) async fn every_guard_must_hold(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let holds = Guard::Revision { subject: subject(1), revision: 1 };
    let fails = Guard::Revision { subject: subject(2), revision: 2 };
    let writes = vec![Write::Count(count(StatusKind::Verified, 1))];
    for guards in [vec![holds.clone(), fails.clone()], vec![fails.clone(), holds.clone()]] {
        let changeset = Changeset { guards, ..changeset(3, writes.clone()) };
        refused(store, changeset, Some(Conflict::Revision)).await;
    }
    commit(store, Changeset { guards: vec![holds.clone(), holds], ..changeset(3, writes) }).await;
}

pub(super) async fn writes_are_applied_in_order_each_seeing_those_before(store: &dyn Store) {
    let subject = subject(1);
    let updated = CustomerRow { version: 2, revision: 2, latest: verification_id(2), ..row(1) };
    let ended = verification(1).ended(Event::Superseded, at(2)).expect("an open verification ends");
    let second = Verification { subject, version: 2, cause: Cause::Update, ..verification(2) };
    let answer = |n| Write::PutAnswer { verification: verification_id(2), answer: sealed(n), at: at(n) };
    let mut changeset = registration(1);
    changeset.writes.extend([
        Write::UpdateCustomer(updated.clone()),
        Write::InsertVersion { subject, version: 2, data: sealed(2), at: at(2) },
        Write::ReplaceFingerprints { subject, fingerprints: vec![fingerprint(FingerprintKind::Email, 2)] },
        Write::PutVerification(ended.clone()),
        Write::PutVerification(second.clone()),
        answer(7),
        answer(8),
        Write::Count(count(StatusKind::Pending, -1)),
        Write::Count(count(StatusKind::Verified, 1)),
    ]);
    commit(store, changeset).await;
    let expected = CustomerRecord { row: updated, data: sealed(2), latest: second.clone() };
    assert_eq!(customer(store, &customer_id(1)).await, expected);
    assert_eq!(store.verifications(subject).await, Ok(vec![second, ended]));
    assert_eq!(store.answer(verification_id(2)).await, Ok(Some(sealed(7))));
    assert_eq!(counts(store).await, [count(StatusKind::Verified, 1)]);
    assert_eq!(having(store, fingerprint(FingerprintKind::Email, 1)).await, []);
    assert_eq!(having(store, fingerprint(FingerprintKind::Email, 2)).await, [customer_id(1)]);

    let mut twice = registration(3);
    twice.writes.push(Write::InsertCustomer(CustomerRow { customer_id: customer_id(3), ..row(4) }));
    refused(store, twice, Some(Conflict::CustomerIdTaken)).await;
}

pub(super) async fn an_update_of_nobody_fails_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1]).await;
    let writes = vec![Write::Count(count(StatusKind::Pending, 1)), Write::UpdateCustomer(row(2))];
    refused(store, changeset(2, writes), None).await;
}

pub(super) async fn a_version_is_never_overwritten(store: &dyn Store) {
    registered(store, [1]).await;
    for data in [sealed(1), sealed(2), Sealed::from_bytes(vec![])] {
        let again = Write::InsertVersion { subject: subject(1), version: 1, data, at: at(2) };
        let writes = vec![Write::Count(count(StatusKind::Pending, 1)), again];
        refused(store, changeset(2, writes), None).await;
    }
    assert_eq!(customer(store, &customer_id(1)).await.data, sealed(1));
}

pub(super) async fn a_verification_keeps_the_data_of_its_version(store: &dyn Store) {
    registered(store, [1]).await;
    let mut row = CustomerRow { version: 2, latest: verification_id(2), ..row(1) };
    let mut changeset = update(2, &mut row);
    let second = Verification { subject: subject(1), version: 2, ..verification(2) };
    changeset.writes.push(Write::InsertVersion {
        subject: subject(1),
        version: 2,
        data: sealed(2),
        at: at(2),
    });
    changeset.writes.push(Write::PutVerification(second.clone()));
    commit(store, changeset).await;
    for (verification, data) in [(verification(1), sealed(1)), (second, sealed(2))] {
        let read = store.verification(verification.id).await.expect("a read works").expect("it is there");
        assert_eq!((read.verification, read.data, read.row), (verification, data, row.clone()));
    }
}

pub(super) async fn fingerprints_are_replaced_as_a_whole(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let email = fingerprint(FingerprintKind::Email, 1);
    let phone = fingerprint(FingerprintKind::PhoneNumber, 9);
    let write = Write::ReplaceFingerprints { subject: subject(1), fingerprints: vec![email, phone] };
    commit(store, changeset(3, vec![write])).await;
    for kind in FingerprintKind::ALL {
        let kept = if *kind == FingerprintKind::Email { vec![customer_id(1)] } else { vec![] };
        assert_eq!(having(store, fingerprint(*kind, 1)).await, kept, "{kind}");
        assert_eq!(having(store, fingerprint(*kind, 2)).await, [customer_id(2)], "{kind}");
    }
    assert_eq!(having(store, phone).await, [customer_id(1)]);
    let none = Write::ReplaceFingerprints { subject: subject(1), fingerprints: vec![] };
    commit(store, changeset(4, vec![none])).await;
    assert_eq!(having(store, email).await, []);
}

pub(super) async fn the_first_answer_stays(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let put = |n| Write::PutAnswer { verification: verification_id(1), answer: sealed(n), at: at(n) };
    for n in [7, 8] {
        commit(store, changeset(n, vec![put(n), Write::Count(count(StatusKind::Rejected, 1))])).await;
    }
    assert_eq!(store.answer(verification_id(1)).await, Ok(Some(sealed(7))));
    assert_eq!(store.answer(verification_id(2)).await, Ok(None));
    // The answer that came late does not keep out the rest of its changeset.
    assert!(counts(store).await.contains(&count(StatusKind::Rejected, 2)));
}
