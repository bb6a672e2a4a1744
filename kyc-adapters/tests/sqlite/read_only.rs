//! Reading beside whoever serves the folder, and after nobody does.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use kyc_adapters::sqlite::{OpenError, ReadOnlyStore};
use kyc_core::ports::store::AuditReads;
use kyc_core::usecase::chain::last_event;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{folder, fresh, open, register};

async fn events(folder: &Path) -> u64 {
    last_event(&ReadOnlyStore::open(folder).unwrap()).await.unwrap()
}

/// The files of a folder as a process leaves them that is killed: the log's index is memory, and not on the disk.
fn left_behind(from: &Path) -> TempDir {
    let copy = folder();
    for name in ["kyc.db", "kyc.db-wal"] {
        fs::copy(from.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn bytes(folder: &Path) -> [Vec<u8>; 2] {
    ["kyc.db", "kyc.db-wal"].map(|name| fs::read(folder.join(name)).unwrap_or_default())
}

#[tokio::test]
async fn every_commit_of_a_store_that_serves_is_seen_and_the_store_goes_on() {
    let (store, folder) = fresh();
    let reader = ReadOnlyStore::open(folder.path()).unwrap();
    assert_eq!(last_event(&reader).await, Ok(0));
    for n in 1..=20 {
        register(&store, n..=n).await;
        assert_eq!(last_event(&reader).await, Ok(u64::from(n)));
    }
    assert_eq!(reader.audit_events(0, 100).await, store.audit_events(0, 100).await);
    store.close().await;
    assert_eq!(last_event(&reader).await, Ok(20), "also when it has stopped");
}

#[tokio::test]
async fn a_reader_takes_no_lock() {
    let (store, folder) = fresh();
    register(&store, 1..=3).await;
    drop(store);
    fs::remove_file(folder.path().join("kyc.lock")).unwrap();
    let reader = ReadOnlyStore::open(folder.path()).unwrap();
    assert!(!folder.path().join("kyc.lock").exists());
    let store = open(&folder);
    register(&store, 4..=4).await;
    assert_eq!(last_event(&reader).await, Ok(4));
}

#[tokio::test]
async fn what_a_killed_process_left_in_its_log_is_seen_and_left_there() {
    let (store, folder) = fresh();
    register(&store, 1..=20).await;
    let copy = left_behind(folder.path());
    let before = bytes(copy.path());
    assert!(!before[1].is_empty());
    assert_eq!(events(copy.path()).await, 20);
    assert_eq!(bytes(copy.path()), before);
    // The next process takes over what is left.
    assert_eq!(super::chain(&open(&copy)).await.len(), 20);
}

#[tokio::test]
async fn a_folder_where_nothing_can_be_made_is_read_unless_a_log_waits_there() {
    let (store, folder) = fresh();
    register(&store, 1..=20).await;
    let killed = left_behind(folder.path());
    store.close().await;
    drop(store);
    let stopped = left_behind(folder.path());
    for copy in [&killed, &stopped] {
        // `SQLite` follows no link, so that it can't make the index of the log, whoever runs the test.
        symlink("nowhere", copy.path().join("kyc.db-shm")).unwrap();
    }
    let before = bytes(stopped.path());
    assert_eq!(events(stopped.path()).await, 20);
    assert_eq!(bytes(stopped.path()), before);
    // Without the log the newest events would be missing, and nobody would know.
    let refused = ReadOnlyStore::open(killed.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Sqlite(_)), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_in_words() {
    let folder = folder();
    assert!(matches!(ReadOnlyStore::open(folder.path()), Err(OpenError::NoDatabase)));
    assert!(matches!(ReadOnlyStore::open(&folder.path().join("none")), Err(OpenError::NoDatabase)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "and nothing is made");
    let database = folder.path().join("kyc.db");
    Connection::open(&database).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    assert!(matches!(ReadOnlyStore::open(folder.path()), Err(OpenError::NoDatabase)));
    fs::write(&database, "name,email\n".repeat(1000)).unwrap();
    assert!(matches!(ReadOnlyStore::open(folder.path()), Err(OpenError::Damaged)));

    let (store, newer) = fresh();
    drop(store);
    let direct = Connection::open(newer.path().join("kyc.db")).unwrap();
    let later = "INSERT INTO refinery_schema_history VALUES (99, 'later', '2027-01-01T00:00:00Z', '1')";
    direct.execute_batch(later).unwrap();
    assert!(matches!(ReadOnlyStore::open(newer.path()), Err(OpenError::NewerSchema { found: 99, .. })));
}
