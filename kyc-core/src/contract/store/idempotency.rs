//! Cases: what was done under an idempotency key is done once, and its record is part of it.

use futures_util::future::join_all;

use super::commit::{commit, counts, refused, registered};
use super::rows::{
    api_key, api_key_id, at, changeset, count, customer_id, digest, idempotency, idempotency_key,
    registration, registration_of, row, sealed, subject, update,
};
use crate::domain::status::StatusKind;
use crate::ports::Store;
use crate::ports::cipher::{DataKey, WrappedKey};
use crate::ports::store::{
    Changeset, CommitError, Conflict, CustomerRow, Guard, IdempotencyRecord, Recorded, RecordedAnswer, Write,
};

/// A changeset that counts one, under a record.
fn counting(n: u32, record: IdempotencyRecord) -> Changeset {
    let writes = vec![Write::Count(count(StatusKind::Rejected, 1))];
    Changeset { idempotency: Some(record), ..changeset(n, writes) }
}

async fn found(store: &dyn Store, n: u32) -> Option<Recorded> {
    store.recorded(idempotency_key(n)).await.expect("a read works")
}

fn as_read(record: &IdempotencyRecord, key: Option<WrappedKey>) -> Recorded {
    Recorded { body: record.body, answer: record.answer.clone(), expires_at: record.expires_at, key }
}

pub(super) async fn a_record_is_found_by_each_of_its_keys(store: &dyn Store) {
    // The record comes with what it refers to.
    let keys = vec![idempotency_key(1), idempotency_key(11), idempotency_key(21)];
    let of_customer = IdempotencyRecord { keys, ..idempotency(1) };
    commit(store, Changeset { idempotency: Some(of_customer.clone()), ..registration(1) }).await;
    for n in [1, 11, 21] {
        assert_eq!(found(store, n).await, Some(as_read(&of_customer, Some(row(1).key.wrapped))));
    }
    let of_key = IdempotencyRecord { answer: RecordedAnswer::ApiKey(api_key_id(2)), ..idempotency(2) };
    let writes = vec![Write::InsertApiKey(api_key(2))];
    commit(store, Changeset { idempotency: Some(of_key.clone()), ..changeset(2, writes) }).await;
    assert_eq!(found(store, 2).await, Some(as_read(&of_key, None)));
    assert_eq!(store.next_expiry().await, Ok(Some(of_customer.expires_at)));
}

pub(super) async fn a_sealed_answer_comes_with_the_key_that_opens_it_now(store: &dyn Store) {
    commit(store, Changeset { idempotency: Some(idempotency(1)), ..registration(1) }).await;
    let wrapped = WrappedKey { master_version: 7, bytes: sealed(7).as_bytes().repeat(3) };
    let mut rewrapped = CustomerRow { key: DataKey { wrapped: wrapped.clone(), messages: 9 }, ..row(1) };
    commit(store, update(2, &mut rewrapped)).await;
    assert_eq!(found(store, 1).await, Some(as_read(&idempotency(1), Some(wrapped))));
}

pub(super) async fn another_key_finds_nothing(store: &dyn Store) {
    commit(store, Changeset { idempotency: Some(idempotency(1)), ..registration(1) }).await;
    for place in 0..32 {
        let mut other = idempotency_key(1);
        other[place] ^= 1;
        assert_eq!(store.recorded(other).await, Ok(None), "byte {place}");
    }
}

pub(super) async fn a_taken_key_is_a_conflict_before_every_other_and_leaves_nothing(store: &dyn Store) {
    let keys = vec![idempotency_key(1), idempotency_key(2)];
    let first = IdempotencyRecord { keys, ..idempotency(1) };
    commit(store, Changeset { idempotency: Some(first), ..registration(1) }).await;
    let taken = Some(Conflict::IdempotencyKeyTaken);
    for keys in [vec![idempotency_key(1)], vec![idempotency_key(3), idempotency_key(2)]] {
        // Up to its last moment, whatever the body is.
        let last = idempotency(1).expires_at - jiff::SignedDuration::from_nanos(1);
        let again = IdempotencyRecord { keys, body: digest(9), recorded_at: last, ..idempotency(1) };
        refused(store, counting(2, again.clone()), taken).await;
        let same_id = registration_of(CustomerRow { customer_id: customer_id(1), ..row(2) }, 2);
        refused(store, Changeset { idempotency: Some(again.clone()), ..same_id }, taken).await;
        let stale = Guard::Revision { subject: subject(1), revision: 9 };
        refused(store, Changeset { guards: vec![stale], ..counting(2, again) }, taken).await;
    }
    assert_eq!(found(store, 3).await, None);
}

pub(super) async fn a_refused_changeset_leaves_its_key_free(store: &dyn Store) {
    registered(store, [1]).await;
    let same_id = registration_of(CustomerRow { customer_id: customer_id(1), ..row(2) }, 2);
    let same_id = Changeset { idempotency: Some(idempotency(2)), ..same_id };
    refused(store, same_id, Some(Conflict::CustomerIdTaken)).await;
    let stale = Guard::Revision { subject: subject(1), revision: 9 };
    let stale = Changeset { guards: vec![stale], ..counting(2, idempotency(1)) };
    refused(store, stale, Some(Conflict::Revision)).await;
    // An answer about somebody who is not there.
    refused(store, counting(2, idempotency(3)), None).await;
    commit(store, Changeset { idempotency: Some(idempotency(2)), ..registration(2) }).await;
    commit(store, counting(3, idempotency(1))).await;
}

pub(super) async fn what_has_expired_gives_way(store: &dyn Store) {
    let keys = vec![idempotency_key(1), idempotency_key(11)];
    commit(
        store,
        Changeset { idempotency: Some(IdempotencyRecord { keys, ..idempotency(1) }), ..registration(1) },
    )
    .await;
    registered(store, [2]).await;
    let (begins, ends) = (idempotency(1).expires_at, at(900_000));
    let next = IdempotencyRecord {
        keys: vec![idempotency_key(1), idempotency_key(12)],
        recorded_at: begins,
        expires_at: ends,
        ..idempotency(2)
    };
    commit(store, counting(3, next.clone())).await;
    for n in [1, 12] {
        assert_eq!(found(store, n).await, Some(as_read(&next, Some(row(2).key.wrapped))), "{n}");
    }
    let still = IdempotencyRecord { recorded_at: at(899_999), ..idempotency(1) };
    refused(store, counting(4, still), Some(Conflict::IdempotencyKeyTaken)).await;
}

pub(super) async fn what_has_expired_is_removed_earliest_first_up_to_the_limit(store: &dyn Store) {
    for n in [3, 1, 4, 2] {
        commit(store, Changeset { idempotency: Some(idempotency(n)), ..registration(n) }).await;
    }
    let forget =
        |n: u32, limit| changeset(9, vec![Write::ForgetExpired { now: idempotency(n).expires_at, limit }]);
    let mut left = Vec::new();
    for (forget, expected) in [
        (forget(0, 10), vec![1, 2, 3, 4]),
        (forget(3, 0), vec![1, 2, 3, 4]),
        (forget(3, 2), vec![3, 4]),
        (forget(3, 2), vec![4]),
        (forget(3, 2), vec![4]),
    ] {
        commit(store, forget).await;
        left.clear();
        for n in 1..=4 {
            left.extend(found(store, n).await.map(|_| n));
        }
        assert_eq!(left, expected);
        let next = expected.first().map(|n| idempotency(*n).expires_at);
        assert_eq!(store.next_expiry().await, Ok(next));
    }
    // It is undone with the rest of a changeset that is refused.
    let mut all = forget(9, 10);
    all.writes.push(Write::InsertCustomer(CustomerRow { customer_id: customer_id(1), ..row(5) }));
    refused(store, all, Some(Conflict::CustomerIdTaken)).await;
    commit(store, forget(9, 10)).await;
    assert_eq!(store.next_expiry().await, Ok(None));
}

pub(super) async fn of_fifty_changesets_under_one_key_one_is_applied(store: &dyn Store) {
    registered(store, [1]).await;
    let outcomes = join_all((2..52).map(|n| store.commit(counting(n, idempotency(1))))).await;
    let taken = Err(CommitError::Conflict(Conflict::IdempotencyKeyTaken));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), 49);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(counts(store).await.contains(&count(StatusKind::Rejected, 1)), "the effect is there once");
}
