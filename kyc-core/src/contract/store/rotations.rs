//! Cases: what is under which version of a key.

use super::commit::{commit, refused, registered};
use super::rows::{changeset, erasure, fingerprint, row, subject, update};
use crate::domain::customer::FingerprintKind;
use crate::domain::key_use::KeyUse;
use crate::ports::Store;
use crate::ports::cipher::Fingerprint;
use crate::ports::store::{Changeset, Conflict, CustomerRow, Guard, KeyCount, Write};

async fn counts(store: &dyn Store, of: KeyUse) -> Vec<(u32, u64)> {
    let counts = store.key_counts(of).await.expect("a read works");
    counts.into_iter().map(|KeyCount { version, customers }| (version, customers)).collect()
}

/// Customer `n` with the data key wrapped under another version.
fn wrapped(n: u32, master_version: u32) -> CustomerRow {
    let mut row = row(n);
    row.key.wrapped.master_version = master_version;
    row.key.wrapped.bytes.push(7);
    row
}

async fn put_fingerprints(store: &dyn Store, n: u32, versions: &[u32]) {
    let fingerprints = versions
        .iter()
        .zip(FingerprintKind::ALL)
        .map(|(key_version, kind)| Fingerprint { key_version: *key_version, ..fingerprint(*kind, n) });
    let fingerprints = fingerprints.collect();
    commit(store, changeset(n, vec![Write::ReplaceFingerprints { subject: subject(n), fingerprints }])).await;
}

pub(super) async fn customers_are_counted_by_the_version_of_their_key(store: &dyn Store) {
    assert_eq!(counts(store, KeyUse::Master).await, []);
    registered(store, 1..=5).await;
    assert_eq!(counts(store, KeyUse::Master).await, [(1, 5)]);
    for (n, version) in [(1, 2), (4, u32::MAX), (5, 2)] {
        commit(store, update(n, &mut wrapped(n, version))).await;
    }
    assert_eq!(counts(store, KeyUse::Master).await, [(1, 2), (2, 2), (u32::MAX, 1)]);
    assert_eq!(counts(store, KeyUse::Fingerprint).await, [(1, 5)], "each key by itself");
}

pub(super) async fn customers_are_counted_by_the_versions_of_their_fingerprints(store: &dyn Store) {
    assert_eq!(counts(store, KeyUse::Fingerprint).await, []);
    registered(store, 1..=4).await;
    assert_eq!(counts(store, KeyUse::Fingerprint).await, [(1, 4)]);
    put_fingerprints(store, 1, &[2, 2, 2, 2]).await;
    put_fingerprints(store, 2, &[1, 2, u32::MAX, 2]).await;
    put_fingerprints(store, 3, &[]).await;
    assert_eq!(counts(store, KeyUse::Fingerprint).await, [(1, 2), (2, 2), (u32::MAX, 1)]);
    assert_eq!(counts(store, KeyUse::Master).await, [(1, 4)]);
}

pub(super) async fn those_with_other_fingerprints_are_told(store: &dyn Store) {
    registered(store, 1..=4).await;
    put_fingerprints(store, 2, &[2, 2]).await;
    put_fingerprints(store, 3, &[2, 1, 2]).await;
    put_fingerprints(store, 4, &[]).await;
    let told = async |numbers: &[u32], current| {
        let subjects: Vec<_> = numbers.iter().map(|n| subject(*n)).collect();
        let mut told = store.fingerprinted_otherwise(&subjects, current).await.expect("a read works");
        told.sort_unstable();
        told
    };
    let all = [1, 2, 3, 4, 5];
    assert_eq!(told(&all, 1).await, [2, 3].map(subject));
    assert_eq!(told(&all, 2).await, [1, 3].map(subject));
    assert_eq!(told(&all, 3).await, [1, 2, 3].map(subject));
    assert_eq!(told(&[2, 4], 1).await, [subject(2)]);
    assert_eq!(told(&[], 1).await, []);
}

pub(super) async fn who_was_erased_is_counted_by_the_version_of_the_fingerprint_that_was_kept(
    store: &dyn Store,
) {
    let erased = async || {
        let counts = store.erased_key_counts().await.expect("a read works");
        counts.into_iter().map(|KeyCount { version, customers }| (version, customers)).collect::<Vec<_>>()
    };
    registered(store, 1..=4).await;
    assert_eq!(erased().await, []);
    for (n, key_version) in [(1, 2), (2, 1), (3, 2)] {
        let mut kept = erasure(n);
        kept.fingerprint.key_version = key_version;
        commit(store, changeset(n, vec![Write::EraseCustomer(kept)])).await;
    }
    assert_eq!(erased().await, [(1, 1), (2, 2)]);
    assert_eq!(counts(store, KeyUse::Fingerprint).await, [(1, 1)]);
}

pub(super) async fn many_customers_are_wrapped_again_at_once_or_none(store: &dyn Store) {
    registered(store, 1..=50).await;
    let all_of = |numbers: std::ops::RangeInclusive<u32>| {
        let mut whole = Changeset { guards: Vec::new(), ..changeset(99, Vec::new()) };
        for n in numbers {
            let row = CustomerRow { revision: 2, ..wrapped(n, 2) };
            whole.guards.push(Guard::Revision { subject: row.subject, revision: 1 });
            whole.writes.push(Write::UpdateCustomer(row));
        }
        whole
    };
    commit(store, update(17, &mut row(17))).await;
    refused(store, all_of(1..=50), Some(Conflict::Revision)).await;
    assert_eq!(counts(store, KeyUse::Master).await, [(1, 50)]);
    commit(store, all_of(1..=16)).await;
    commit(store, all_of(18..=50)).await;
    assert_eq!(counts(store, KeyUse::Master).await, [(1, 1), (2, 49)]);
}
