//! The SQLite store: the contract of the port, and what only a store on a disk can do wrong.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "sqlite/damage.rs"]
mod damage;
#[path = "sqlite/erasure.rs"]
mod erasure;
#[path = "sqlite/folder.rs"]
mod folder;
#[path = "sqlite/read_only.rs"]
mod read_only;
#[path = "sqlite/schema.rs"]
mod schema;
#[path = "sqlite/strain.rs"]
mod strain;

use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows;
use kyc_core::domain::audit::{ChainWalk, ChainedEvent};
use kyc_core::ports::Store;
use kyc_core::ports::store::AuditReads;
use tempfile::TempDir;

mod contract {
    kyc_core::store_contract!(tokio::test(flavor = "multi_thread"), super::fresh());
}

mod contract_on_one_thread {
    kyc_core::store_contract!(tokio::test, super::fresh());
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(SqliteConfig::new(folder.path())).unwrap()
}

/// A store in a folder of its own, which goes after it.
fn fresh() -> (SqliteStore, TempDir) {
    let folder = folder();
    (open(&folder), folder)
}

/// The whole audit chain, which holds.
async fn chain(store: &SqliteStore) -> Vec<ChainedEvent> {
    let events = store.audit_events(0, 100_000).await.unwrap();
    let mut walk = ChainWalk::default();
    for event in &events {
        walk.step(event).unwrap();
    }
    events
}

/// Registers customers, one after the other.
async fn register(store: &SqliteStore, numbers: std::ops::RangeInclusive<u32>) {
    for n in numbers {
        store.commit(rows::registration(n)).await.unwrap();
    }
}
