//! Cases: what is due is given to one worker at a time.

use jiff::SignedDuration;

use super::commit::{commit, registered};
use super::rows::{at, changeset, verification, verification_id, verification_record};
use crate::domain::verification::{Event, Verification};
use crate::ports::Store;
use crate::ports::store::{Claim, Claimed, Lease, Queue, Write};

pub(super) async fn claim(store: &dyn Store, now: u32, until: u32, limit: u32) -> Vec<Claimed> {
    let claim = Claim { queue: Queue::Verifications, limit, now: at(now), until: at(until) };
    store.claim(claim).await.expect("a claim works")
}

/// Claims the one verification that is due, and its lease.
pub(super) async fn claim_one(store: &dyn Store, now: u32, until: u32) -> Lease {
    let claimed = claim(store, now, until, 9).await;
    assert_eq!(claimed.len(), 1, "one verification is due");
    claimed[0].lease
}

async fn claimed_ids(store: &dyn Store, now: u32, limit: u32) -> Vec<u32> {
    let claimed = claim(store, now, now + 1000, limit).await;
    let numbers = claimed.iter().map(|work| {
        assert_eq!(work.record.verification.id, work.lease.verification);
        (0..100).find(|n| verification_id(*n) == work.lease.verification).expect("one of the case's")
    });
    numbers.collect()
}

pub(super) async fn put(store: &dyn Store, verification: Verification) {
    commit(store, changeset(1, vec![Write::PutVerification(verification)])).await;
}

fn ended(n: u32) -> Verification {
    verification(n).ended(Event::GivenUp, at(n)).expect("an open verification ends")
}

pub(super) async fn only_what_is_due_is_claimed_earliest_first(store: &dyn Store) {
    registered(store, 1..=6).await;
    for (n, due) in [(1, 40), (2, 20), (3, 60), (4, 10), (5, 30), (6, 50)] {
        put(store, Verification { due_at: Some(at(due)), ..verification(n) }).await;
    }
    assert_eq!(claimed_ids(store, 9, 9).await, [0; 0]);
    assert_eq!(claimed_ids(store, 10, 9).await, [4]);
    assert_eq!(claimed_ids(store, 50, 0).await, [0; 0]);
    assert_eq!(claimed_ids(store, 50, 2).await, [2, 5]);
    assert_eq!(claimed_ids(store, 50, 9).await, [1, 6]);
    assert_eq!(claimed_ids(store, 50, 9).await, [0; 0]);
    // Due to the nanosecond.
    let just_before = at(60) - SignedDuration::from_nanos(1);
    let early = Claim { queue: Queue::Verifications, limit: 9, now: just_before, until: at(2000) };
    assert_eq!(store.claim(early).await, Ok(vec![]));
    assert_eq!(claimed_ids(store, 60, 9).await, [3]);
}

pub(super) async fn what_is_claimed_is_read_whole(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let claimed = claim(store, 5, 10, 9).await;
    let records: Vec<_> = claimed.into_iter().map(|work| work.record).collect();
    assert_eq!(records, [verification_record(1), verification_record(2)]);
    // A claim leases, marks, and writes nothing else: no revision, no event.
    let mut marked = verification_record(1);
    marked.verification.attempted = true;
    assert_eq!(store.verification(verification_id(1)).await, Ok(Some(marked)));
    assert_eq!(store.audit_events(0, 9).await.expect("a read works").len(), 2);
}

pub(super) async fn a_lease_that_ran_out_is_taken_over_with_a_higher_token(store: &dyn Store) {
    registered(store, [1]).await;
    let mut token = 0;
    for round in 1..=5 {
        let lease = claim_one(store, 100 * round, 100 * round + 50).await;
        assert_eq!(lease.verification, verification_id(1));
        assert!(lease.token > token, "{} is not above {token}", lease.token);
        token = lease.token;
        assert_eq!(claim(store, 100 * round, 100 * round + 50, 9).await, []);
        assert_eq!(claim(store, 100 * round + 49, 1000, 9).await, []);
    }
}

pub(super) async fn a_claim_marks_what_it_hands_out_until_a_write_says_otherwise(store: &dyn Store) {
    registered(store, [1]).await;
    let first = claim(store, 10, 20, 9).await;
    assert!(!first[0].record.verification.attempted, "nobody had it before");
    let second = claim(store, 30, 40, 9).await;
    assert!(second[0].record.verification.attempted, "the first may have told a provider");
    put(store, Verification { attempted: false, ..second[0].record.verification.clone() }).await;
    let third = claim(store, 50, 60, 9).await;
    assert!(!third[0].record.verification.attempted, "the second has said that nothing left");
}

pub(super) async fn an_open_verification_is_found_by_its_reference(store: &dyn Store) {
    registered(store, [1, 2]).await;
    assert_eq!(store.verification_by_reference([7; 32]).await, Ok(None));
    put(store, Verification { reference: Some([7; 32]), ..verification(1) }).await;
    put(store, Verification { reference: Some([8; 32]), ..verification(2) }).await;
    let found = store.verification_by_reference([7; 32]).await.expect("a read works").expect("it is there");
    assert_eq!((found.verification.id, found.row.subject), (verification_id(1), verification(1).subject));
    assert_eq!(store.verification_by_reference([9; 32]).await, Ok(None));
    put(store, Verification { reference: Some([7; 32]), ..ended(1) }).await;
    assert_eq!(store.verification_by_reference([7; 32]).await, Ok(None));
}

pub(super) async fn an_ended_verification_is_never_claimed(store: &dyn Store) {
    registered(store, [1, 2]).await;
    put(store, ended(1)).await;
    assert_eq!(claimed_ids(store, 5, 9).await, [2]);
    put(store, ended(2)).await;
    assert_eq!(claimed_ids(store, 5000, 9).await, [0; 0]);
}

pub(super) async fn next_due_is_the_earliest_whether_leased_or_not(store: &dyn Store) {
    let next = async || store.next_due(Queue::Verifications).await.expect("a read works");
    registered(store, [1, 2]).await;
    put(store, Verification { due_at: Some(at(30)), ..verification(1) }).await;
    put(store, Verification { due_at: Some(at(20)), ..verification(2) }).await;
    assert_eq!(next().await, Some(at(20)));
    assert_eq!(claimed_ids(store, 20, 9).await, [2]);
    assert_eq!(next().await, Some(at(20)));
    put(store, ended(2)).await;
    assert_eq!(next().await, Some(at(30)));
    put(store, ended(1)).await;
    assert_eq!(next().await, None);
}
