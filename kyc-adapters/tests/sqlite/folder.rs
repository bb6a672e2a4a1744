//! The data folder: one process, private files, nothing lost by closing.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kyc_adapters::sqlite::{OpenError, SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows;
use kyc_core::domain::ids::ChangesetId;
use kyc_core::ports::Store;
use kyc_core::ports::store::{Claim, Queue};
use kyc_core::ports::store::{CommitError, CustomerReads, Lease, StoreError};

use super::{chain, folder, fresh, open, register};

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused() {
    let (store, folder) = fresh();
    let second = SqliteStore::open(SqliteConfig::new(folder.path())).unwrap_err();
    assert!(matches!(second, OpenError::Locked));
    assert_eq!(second.to_string(), "another process serves this data folder");

    register(&store, 1..=1).await;
    drop(store);
    open(&folder);
}

#[tokio::test]
async fn closing_gives_the_folder_free_and_refuses_what_comes_later() {
    let (store, folder) = fresh();
    register(&store, 1..=3).await;
    store.close().await;
    let late = store.commit(rows::registration(4)).await;
    assert_eq!(late, Err(CommitError::Store(StoreError::Unavailable)));
    assert_eq!(store.ready().await, Err(StoreError::Unavailable));
    let log = fs::metadata(folder.path().join("kyc.db-wal")).unwrap();
    assert_eq!(log.len(), 0, "the log is written back");

    let again = open(&folder);
    assert_eq!(again.customer(&rows::customer_id(3)).await, Ok(Some(rows::record(3))));
    assert_eq!(again.customer(&rows::customer_id(4)).await, Ok(None));
}

#[tokio::test]
async fn what_is_queued_is_written_before_a_close() {
    let (store, folder) = fresh();
    let mut waiting = tokio::task::JoinSet::new();
    let store = std::sync::Arc::new(store);
    for n in 1..=50 {
        let store = std::sync::Arc::clone(&store);
        waiting.spawn(async move { (n, store.commit(rows::registration(n)).await) });
    }
    tokio::task::yield_now().await;
    store.close().await;
    let outcomes = waiting.join_all().await;
    drop(store);

    let again = open(&folder);
    assert!(outcomes.iter().any(|(_, outcome)| outcome.is_ok()));
    for (n, outcome) in outcomes {
        let there = again.customer(&rows::customer_id(n)).await.unwrap().is_some();
        assert_eq!(there, outcome.is_ok(), "{n}");
    }
}

#[tokio::test]
async fn reopening_keeps_everything_and_the_chain_goes_on() {
    let (store, folder) = fresh();
    register(&store, 1..=5).await;
    let claim = Claim { queue: Queue::Verifications, limit: 1, now: rows::at(10), until: rows::at(20) };
    let first = store.claim(claim).await.unwrap();
    let before = chain(&store).await;
    drop(store);

    let store = open(&folder);
    assert_eq!(chain(&store).await, before);
    for n in 1..=5 {
        let mut expected = rows::record(n);
        expected.latest.attempted = expected.latest.id == first[0].lease.verification;
        assert_eq!(store.customer(&rows::customer_id(n)).await, Ok(Some(expected)));
    }
    register(&store, 6..=7).await;
    assert_eq!(chain(&store).await.len(), 7);
    // A lease outlives the process that took it, and its token stays below the next one.
    let later = Claim { now: rows::at(20), until: rows::at(30), ..claim };
    let second = store.claim(later).await.unwrap();
    let lease_of = |id| second.iter().map(|work| work.lease).find(|lease: &Lease| lease.verification == id);
    assert!(lease_of(first[0].lease.verification).unwrap().token > first[0].lease.token);
}

#[tokio::test]
async fn every_file_is_for_the_owner_alone() {
    let parent = folder();
    let path = parent.path().join("a/b");
    let store = SqliteStore::open(SqliteConfig::new(&path)).unwrap();
    register(&store, 1..=1).await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["kyc.db", "kyc.db-shm", "kyc.db-wal", "kyc.lock"]);
}

#[tokio::test]
async fn a_file_that_others_may_read_is_closed_to_them() {
    let (store, folder) = fresh();
    drop(store);
    let database = folder.path().join("kyc.db");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&folder);
    assert_eq!(fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said_in_words() {
    let parent = folder();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let error = SqliteStore::open(SqliteConfig::new(file.join("below"))).unwrap_err();
    assert!(matches!(error, OpenError::Folder(_)), "{error:?}");
}

#[tokio::test]
async fn a_changeset_without_writes_is_a_commit_like_any_other() {
    let (store, _folder) = fresh();
    let mut changeset = rows::changeset(1, vec![]);
    changeset.id = ChangesetId::from_bytes([7; 16]);
    store.commit(changeset).await.unwrap();
    assert_eq!(chain(&store).await[0].changeset, ChangesetId::from_bytes([7; 16]));
}
