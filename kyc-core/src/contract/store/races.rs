//! Cases: what must hold however many callers there are at once.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};

use super::commit::{commit, counts, customer, registered};
use super::rows::{
    at, changeset, count, customer_id, registration, registration_of, row, sealed, update, verification,
    verification_id,
};
use crate::domain::audit::ChainWalk;
use crate::domain::status::StatusKind;
use crate::domain::verification::Verification;
use crate::ports::Store;
use crate::ports::store::{
    Changeset, Claim, CommitError, Conflict, CustomerFilter, CustomerRow, Guard, PageRequest, Queue, Write,
};

const CALLERS: u32 = 50;

/// Commits all at once; the one that was applied, where every other one met the conflict.
async fn one_winner(store: &dyn Store, changesets: Vec<Changeset>, conflict: Conflict) -> usize {
    let outcomes = join_all(changesets.into_iter().map(|changeset| store.commit(changeset))).await;
    let winners: Vec<_> = (0..outcomes.len()).filter(|index| outcomes[*index].is_ok()).collect();
    let lost = outcomes.iter().filter(|outcome| **outcome == Err(CommitError::Conflict(conflict))).count();
    assert_eq!(
        (winners.len(), lost),
        (1, outcomes.len() - 1),
        "one is applied, the others meet {conflict:?}"
    );
    winners[0]
}

pub(super) async fn of_fifty_inserts_of_one_id_one_wins(store: &dyn Store) {
    let same_id = |n| registration_of(CustomerRow { customer_id: customer_id(0), ..row(n) }, n);
    let winner = one_winner(store, (0..CALLERS).map(same_id).collect(), Conflict::CustomerIdTaken).await;
    let page = PageRequest { after: None, limit: 100 };
    let there = store.customers(CustomerFilter::default(), page).await.expect("a read works");
    assert_eq!(there.len(), 1);
    let n = u32::try_from(winner).expect("a small number");
    assert_eq!((there[0].row.subject, &there[0].data), (row(n).subject, &sealed(n)));
    assert_eq!(counts(store).await, [count(StatusKind::Pending, 1)]);
    assert_eq!(store.audit_events(0, 100).await.expect("a read works").len(), 1);
}

pub(super) async fn of_fifty_updates_of_one_revision_one_wins(store: &dyn Store) {
    registered(store, [1]).await;
    let updates = (0..CALLERS).map(|n| {
        let mut row = CustomerRow { updated_at: at(n), ..row(1) };
        let mut changeset = update(n, &mut row);
        changeset.writes.push(Write::Count(count(StatusKind::Verified, 1)));
        changeset
    });
    let winner = one_winner(store, updates.collect(), Conflict::Revision).await;
    let there = customer(store, &customer_id(1)).await.row;
    let n = u32::try_from(winner).expect("a small number");
    assert_eq!((there.revision, there.updated_at), (2, at(n)));
    assert!(counts(store).await.contains(&count(StatusKind::Verified, 1)));
}

pub(super) async fn no_read_mixes_two_commits(store: &dyn Store) {
    const VERSIONS: u32 = 40;
    registered(store, [1]).await;
    let write = async {
        let mut row = row(1);
        for n in 2..=VERSIONS {
            row = CustomerRow { version: n, latest: verification_id(n), ..row };
            let subject = row.subject;
            let mut changeset = update(n, &mut row);
            changeset.writes.push(Write::InsertVersion { subject, version: n, data: sealed(n), at: at(n) });
            let latest = Verification { subject, version: n, ..verification(n) };
            changeset.writes.push(Write::PutVerification(latest));
            commit(store, changeset).await;
        }
    };
    let read = async {
        let mut seen = 0;
        for _ in 0..2 * VERSIONS {
            let record =
                store.customer(&customer_id(1)).await.expect("a read works").expect("the customer is there");
            let version = record.row.version;
            assert_eq!(record.row.revision, u64::from(version));
            assert_eq!(record.data, sealed(version));
            assert_eq!((record.latest.id, record.latest.version), (verification_id(version), version));
            assert!(version >= seen, "a later read sees no less");
            seen = version;
        }
    };
    join(write, read).await;
    assert_eq!(customer(store, &customer_id(1)).await.row.version, VERSIONS);
}

pub(super) async fn no_count_is_lost(store: &dyn Store) {
    let add = |n| changeset(n, vec![Write::Count(count(StatusKind::Pending, i64::from(n)))]);
    let outcomes = join_all((1..=CALLERS).map(|n| store.commit(add(n)))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(counts(store).await, [count(StatusKind::Pending, i64::from(CALLERS * (CALLERS + 1) / 2))]);
}

pub(super) async fn of_fifty_claims_none_is_given_what_another_has(store: &dyn Store) {
    const WAITING: u32 = 40;
    registered(store, 1..=WAITING).await;
    let claim = |n: u32| {
        let limit = 1 + n % 3;
        store.claim(Claim { queue: Queue::Verifications, limit, now: at(100), until: at(200) })
    };
    let mut given = Vec::new();
    for (n, claimed) in (0..).zip(join_all((0..CALLERS).map(claim)).await) {
        let claimed = claimed.expect("a claim works");
        assert!(claimed.len() <= 1 + n % 3, "no more than the limit is given");
        given.extend(claimed.into_iter().map(|work| work.lease.verification));
    }
    let distinct: BTreeSet<_> = given.iter().copied().collect();
    assert_eq!(distinct, (1..=WAITING).map(verification_id).collect(), "all that waits is given");
    assert_eq!(given.len(), distinct.len(), "and nothing twice");
}

pub(super) async fn the_chain_holds_after_commits_at_once_and_failed_ones(store: &dyn Store) {
    registered(store, [1]).await;
    let mut applied = 1;
    for round in 0..3 {
        let changesets = (0..CALLERS).map(|n| match n % 3 {
            0 => registration(100 * (round + 1) + n),
            1 => registration(1),
            _ => {
                let stale = Guard::Revision { subject: row(1).subject, revision: 99 };
                Changeset { guards: vec![stale], ..changeset(n, vec![]) }
            }
        });
        let outcomes = join_all(changesets.map(|changeset| store.commit(changeset))).await;
        applied += outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let mut walk = ChainWalk::default();
        let events = store.audit_events(0, 1000).await.expect("a read works");
        for event in &events {
            walk.step(event).expect("the chain holds");
        }
        assert_eq!(events.len(), applied, "an event for each commit that was applied, and no other");
    }
    assert_eq!(applied, 1 + 3 * 17);
}
