//! Cases: who slept past a lease can't write.

use super::claims::{claim, claim_one, put};
use super::commit::{commit, refused, registered};
use super::rows::{at, changeset, count, registration, verification, verification_id};
use crate::domain::status::StatusKind;
use crate::domain::verification::Verification;
use crate::ports::Store;
use crate::ports::store::{Changeset, Conflict, Guard, Lease, Write};

fn under(lease: Lease, n: u32) -> Changeset {
    let put = Write::PutVerification(Verification { failures: n, due_at: Some(at(n)), ..verification(1) });
    let count = Write::Count(count(StatusKind::Verified, 1));
    Changeset { guards: vec![Guard::Lease(lease)], ..changeset(n, vec![count, put]) }
}

async fn stale(store: &dyn Store, lease: Lease) {
    refused(store, under(lease, 9), Some(Conflict::LeaseLost)).await;
}

pub(super) async fn a_stale_token_is_refused_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1]).await;
    for token in [0, 1, 2] {
        stale(store, Lease { verification: verification_id(1), token }).await;
        stale(store, Lease { verification: verification_id(2), token }).await;
    }
    let slept = claim_one(store, 10, 20).await;
    let took_over = claim_one(store, 30, 40).await;
    stale(store, slept).await;
    stale(store, Lease { token: took_over.token + 1, ..took_over }).await;
    stale(store, Lease { verification: verification_id(2), ..took_over }).await;
    // The refused writes have not ended the lease.
    assert_eq!(claim(store, 35, 99, 9).await, []);
    commit(store, under(took_over, 35)).await;
    stale(store, slept).await;
}

pub(super) async fn a_late_lease_holds_until_somebody_takes_over(store: &dyn Store) {
    registered(store, [1]).await;
    let late = claim_one(store, 10, 20).await;
    // The token is all that a guard needs: a changeset brings no time.
    commit(store, under(late, 5000)).await;
}

pub(super) async fn putting_a_verification_ends_its_lease_and_keeps_its_token_the_highest(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let first = claim(store, 10, 1000, 9).await;
    assert_eq!(first.len(), 2);
    commit(store, under(first[0].lease, 15)).await;
    // Long before the lease would have run out, and of the one that was put alone.
    let again = claim_one(store, 15, 1000).await;
    assert_eq!(again.verification, first[0].lease.verification);
    assert!(again.token > first[0].lease.token, "the token goes on above the one before");
    stale(store, first[0].lease).await;
    commit(store, under(again, 16)).await;
    put(store, verification(1)).await;
    assert!(claim_one(store, 17, 1000).await.token > again.token, "whoever put it");
}

pub(super) async fn who_guards_against_a_claim_is_refused_until_the_verification_is_put(store: &dyn Store) {
    registered(store, [1]).await;
    let unclaimed = |n: u32, of: u32| {
        let guards = vec![Guard::Unclaimed(verification_id(of))];
        Changeset { guards, ..changeset(n, vec![Write::Count(count(StatusKind::Verified, 1))]) }
    };
    commit(store, unclaimed(2, 1)).await;
    refused(store, unclaimed(3, 2), Some(Conflict::LeaseLost)).await;
    let lease = claim_one(store, 10, 20).await;
    // Also when the lease has run out, since it holds until somebody takes over.
    refused(store, unclaimed(21, 1), Some(Conflict::LeaseLost)).await;
    commit(store, under(lease, 22)).await;
    commit(store, unclaimed(23, 1)).await;
}

pub(super) async fn a_failed_commit_ends_no_lease(store: &dyn Store) {
    registered(store, [1]).await;
    let lease = claim_one(store, 10, 1000).await;
    let mut changeset = under(lease, 15);
    changeset.writes.extend(registration(1).writes);
    refused(store, changeset, Some(Conflict::CustomerIdTaken)).await;
    assert_eq!(claim(store, 999, 2000, 9).await, []);
    commit(store, under(lease, 15)).await;
}
