//! The audit log against somebody who can change the database by hand: `audit verify` names the first event
//! that is not as it was committed, and a database that was put back is not served.
#![cfg(test)]

mod deleted;
mod edits;
mod export;
mod rows;
mod served;
mod signed;

use std::path::PathBuf;
use std::process::Output;

use kyc_adapters::checkpoint::Checkpoints;
use kyc_adapters::sqlite::{ReadOnlyStore, SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows::{changeset, erasure};
use kyc_core::domain::audit::ChainedEvent;
use kyc_core::domain::checkpoint::Checkpoint;
use kyc_core::ports::Store;
use kyc_core::ports::store::{AuditReads, Write};
use kyc_tests::process::Options;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A data folder that no process serves.
struct Log {
    options: Options,
    runtime: Runtime,
    _home: TempDir,
}

impl Log {
    /// With so many events.
    fn of(events: u32) -> Self {
        let (options, home) = options();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let log = Self { options, runtime, _home: home };
        log.append(1..=events);
        log
    }

    /// Commits these events, of people who were erased. There are no customers: the keys of made-up ones would fit no keyring, and a server
    /// would not start on them.
    fn append(&self, numbers: std::ops::RangeInclusive<u32>) {
        self.runtime.block_on(async {
            let store = SqliteStore::open(SqliteConfig::new(self.options.data())).unwrap();
            for n in numbers {
                let erased = Write::RememberErasure(erasure(n));
                store.commit(changeset(n, vec![erased])).await.unwrap();
            }
            store.close().await;
        });
    }

    fn database(&self) -> PathBuf {
        self.options.data().join("kyc.db")
    }

    fn checkpoints(&self) -> PathBuf {
        self.options.data().join("checkpoints")
    }

    fn key(&self) -> PathBuf {
        self.options.data().join("checkpoint.key")
    }

    /// All events, as they stand there.
    fn events(&self) -> Vec<ChainedEvent> {
        self.runtime.block_on(async {
            let store = ReadOnlyStore::open(&self.options.data()).unwrap();
            store.audit_events(0, 10_000).await.unwrap()
        })
    }

    /// Signs what the log was when it had so many events.
    fn sign(&self, size: usize) {
        let (checkpoints, _) = Checkpoints::open(&self.key(), &self.checkpoints()).unwrap();
        let head = self.events()[size - 1].hash;
        let at = "2026-01-31T12:00:00Z".parse().unwrap();
        checkpoints.keep(&Checkpoint { size: size as u64, head, at }).unwrap();
    }

    /// Does what somebody does who has the file and `sqlite3`, and means it.
    fn edit(&self, sql: &str) {
        edit(&self.database(), sql);
    }

    /// Verifies the chain alone.
    fn verify(&self) -> Result<String, String> {
        outcome(&self.options.run(&["audit", "verify"]))
    }

    /// Verifies the chain with the checkpoints.
    fn verify_signed(&self) -> Result<String, String> {
        outcome(&self.options.run(&[
            "audit",
            "verify",
            "--checkpoints",
            self.checkpoints().to_str().unwrap(),
        ]))
    }
}

/// The triggers stop a slip, and nobody who means it.
fn edit(database: &std::path::Path, sql: &str) {
    let connection = Connection::open(database).unwrap();
    connection
        .execute_batch(&format!(
            "DROP TRIGGER IF EXISTS audit_events_are_not_edited;
             DROP TRIGGER IF EXISTS audit_events_are_not_removed;
             PRAGMA ignore_check_constraints = ON;
             {sql}"
        ))
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path()), home)
}

/// What a command said on standard output, where it ended with 0; and on standard error, where it ended with 1.
fn outcome(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(&output.stdout)),
        Some(1) => Err(text(&output.stderr)),
        other => panic!("{other:?}: {}", text(&output.stderr)),
    }
}

#[track_caller]
fn assert_fault(outcome: Result<String, String>, words: &str) {
    let said = outcome.expect_err(words);
    assert!(said.contains("kyc-server: the audit log is not whole: "), "{said}");
    assert!(said.contains(words), "{words}: {said}");
}
