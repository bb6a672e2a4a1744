//! More than the store can take: a full queue, a full disk, a foreign lock.

use std::sync::Arc;

use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows;
use kyc_core::ports::Store;
use kyc_core::ports::cipher::Sealed;
use kyc_core::ports::store::{CommitError, CustomerReads, StoreError, Write};
use rusqlite::Connection;
use tokio::task::JoinSet;

use super::{chain, folder, fresh, open, register};

const OVERLOADED: CommitError = CommitError::Store(StoreError::Overloaded);
const UNAVAILABLE: CommitError = CommitError::Store(StoreError::Unavailable);

#[tokio::test]
async fn past_a_full_queue_callers_are_told_at_once() {
    const CALLERS: usize = 10;
    let folder = folder();
    let config = SqliteConfig { queue: 1, batch: 1, ..SqliteConfig::new(folder.path()) };
    let store = Arc::new(SqliteStore::open(config).unwrap());
    // A foreign transaction holds the writer up: one changeset is with it, one waits, the others don't fit.
    let foreign = Connection::open(folder.path().join("kyc.db")).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut callers = JoinSet::new();
    for n in 1..=10 {
        let store = Arc::clone(&store);
        callers.spawn(async move { (n, store.commit(rows::registration(n)).await) });
    }
    let mut turned_away = Vec::new();
    while turned_away.len() < CALLERS - 2 {
        let (n, outcome) = callers.join_next().await.unwrap().unwrap();
        assert_eq!(outcome, Err(OVERLOADED));
        turned_away.push(n);
    }
    foreign.execute_batch("ROLLBACK").unwrap();
    let mut taken = 0;
    while let Some(outcome) = callers.join_next().await {
        let (n, outcome) = outcome.unwrap();
        match outcome {
            Ok(()) => taken += 1,
            Err(error) => {
                assert_eq!(error, OVERLOADED);
                turned_away.push(n);
            }
        }
    }
    assert!(taken >= 1);
    for n in turned_away {
        assert_eq!(store.customer(&rows::customer_id(n)).await, Ok(None));
    }
    assert_eq!(chain(&store).await.len(), taken);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_while_reads_go_on_and_heals_without_a_restart() {
    let folder = folder();
    drop(open(&folder));
    let database = folder.path().join("kyc.db");
    let direct = Connection::open(&database).unwrap();
    direct.execute_batch("CREATE TABLE ballast AS SELECT zeroblob(1000000) AS weight").unwrap();
    drop(direct);
    // As large as the file is, and room for a few customers.
    let max_bytes = std::fs::metadata(&database).unwrap().len() + 40 * 4096;
    let config = SqliteConfig { max_bytes: Some(max_bytes), ..SqliteConfig::new(folder.path()) };
    let store = SqliteStore::open(config).unwrap();

    let mut landed = 0;
    let outcome = loop {
        match store.commit(rows::registration(landed + 1)).await {
            Ok(()) => landed += 1,
            Err(error) => break error,
        }
        assert!(landed < 10_000, "the limit must be met");
    };
    assert_eq!(outcome, UNAVAILABLE);
    assert!(landed > 0);
    assert_eq!(store.ready().await, Err(StoreError::Unavailable));
    assert_eq!(store.customer(&rows::customer_id(landed)).await, Ok(Some(rows::record(landed))));
    assert_eq!(store.customer(&rows::customer_id(landed + 1)).await, Ok(None));

    let direct = Connection::open(&database).unwrap();
    direct.execute_batch("DROP TABLE ballast").unwrap();
    assert_eq!(store.ready().await, Ok(()));
    register(&store, landed + 1..=landed + 50).await;
    assert_eq!(chain(&store).await.len(), landed as usize + 50);
}

#[tokio::test]
async fn the_log_is_written_back_while_writing_goes_on() {
    const MIB: usize = 1024 * 1024;
    let (store, folder) = fresh();
    register(&store, 1..=1).await;
    for version in 2..=60 {
        let data = Sealed::from_bytes(vec![7; MIB]);
        let write = Write::InsertVersion { subject: rows::subject(1), version, data, at: rows::at(version) };
        store.commit(rows::changeset(version, vec![write])).await.unwrap();
    }
    // 16 MiB may wait to be written back, and the commit that finds them has a little more.
    let log = std::fs::metadata(folder.path().join("kyc.db-wal")).unwrap().len();
    assert!(log < 20 * MIB as u64, "{log} bytes");
}

#[tokio::test]
async fn a_burst_of_writers_and_readers_meets_no_lock() {
    let (store, _folder) = fresh();
    let store = Arc::new(store);
    let mut all = JoinSet::new();
    for n in 1..=500 {
        let store = Arc::clone(&store);
        all.spawn(async move {
            store.commit(rows::registration(n)).await.unwrap();
            assert_eq!(store.customer(&rows::customer_id(n)).await, Ok(Some(rows::record(n))));
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    assert_eq!(chain(&store).await.len(), 500);
}
