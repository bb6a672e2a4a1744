//! Tests: one transaction for many changesets, and what happens when COMMIT fails.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use kyc_core::contract::store::rows;
use kyc_core::domain::audit::ChainWalk;
use kyc_core::ports::store::{Conflict, Queue};
use rusqlite::{Connection, ErrorCode, ffi};

use super::*;
use crate::sqlite::fault::Fault;
use crate::sqlite::{open, read};

type Outcome = oneshot::Receiver<Result<(), CommitError>>;

fn batches(folder: &Path) -> Batches {
    let opened = open::open(&SqliteConfig::new(folder)).unwrap();
    Batches::new(opened.connection, opened.head)
}

fn job(changeset: Changeset) -> (Job, Outcome) {
    let (reply, outcome) = oneshot::channel();
    (Job::Commit(Box::new(changeset), Reply::to(reply)), outcome)
}

/// Runs the changesets as one batch.
fn run(batches: &mut Batches, changesets: Vec<Changeset>) -> (Result<bool, Unknown>, Vec<Outcome>) {
    let (mut jobs, outcomes): (Vec<_>, Vec<_>) = changesets.into_iter().map(job).unzip();
    (batches.run(&mut jobs), outcomes)
}

fn told(outcomes: Vec<Outcome>) -> Vec<Result<(), CommitError>> {
    outcomes.into_iter().map(|mut outcome| outcome.try_recv().unwrap()).collect()
}

fn events(connection: &Connection) -> usize {
    let events = read::audit_events(connection, 0, 1000).unwrap();
    let mut walk = ChainWalk::default();
    for event in &events {
        walk.step(event).unwrap();
    }
    events.len()
}

fn failing(code: i32) -> Result<(), Fault> {
    let error = ffi::Error::new(code);
    Err(Fault::Engine(error.code, error.extended_code))
}

#[test]
fn many_changesets_share_a_commit_and_a_bad_one_among_them_fails_alone() {
    static COMMITS: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    let mut batches = batches(folder.path());
    batches.commit = |connection| {
        COMMITS.fetch_add(1, Ordering::Relaxed);
        connection.execute_batch("COMMIT").map_err(Fault::from)
    };
    let taken = rows::registration_of(
        kyc_core::ports::store::CustomerRow { customer_id: rows::customer_id(1), ..rows::row(7) },
        7,
    );
    let mut forbidden = rows::registration(8);
    forbidden.writes.extend(rows::registration(8).writes.into_iter().skip(2));
    let changesets = vec![
        rows::registration(1),
        taken,
        rows::registration(2),
        forbidden,
        // It sees the first one.
        rows::update(3, &mut rows::row(1)),
        rows::registration(4),
    ];
    let (wrote, outcomes) = run(&mut batches, changesets);
    assert!(wrote.is_ok_and(|wrote| wrote));
    let expected = [
        Ok(()),
        Err(Conflict::CustomerIdTaken.into()),
        Ok(()),
        Err(StoreError::Corrupt.into()),
        Ok(()),
        Ok(()),
    ];
    assert_eq!(told(outcomes), expected);
    assert_eq!(COMMITS.load(Ordering::Relaxed), 1);
    assert_eq!(events(&batches.connection), 4);
}

#[test]
fn a_batch_in_which_nothing_is_written_commits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches = batches(folder.path());
    batches.commit = |_| failing(ffi::SQLITE_IOERR_FSYNC);
    let (reply, mut claimed) = oneshot::channel();
    let claim = Claim { queue: Queue::Verifications, limit: 5, now: rows::at(9), until: rows::at(19) };
    let (stale, stale_outcome) = job(rows::update(3, &mut rows::row(1)));
    let wrote = batches.run(&mut vec![Job::Claim(claim, Reply::to(reply)), stale]);
    assert!(wrote.is_ok_and(|wrote| !wrote));
    assert_eq!(claimed.try_recv().unwrap(), Ok(vec![]));
    assert_eq!(told(vec![stale_outcome]), [Err(Conflict::Revision.into())]);
}

#[test]
fn a_commit_that_finds_no_space_is_undone_and_the_chain_goes_on_without_a_gap() {
    for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY] {
        let folder = tempfile::tempdir().unwrap();
        let mut batches = batches(folder.path());
        assert!(run(&mut batches, vec![rows::registration(1)]).0.is_ok());
        let commit = batches.commit;
        batches.commit = match code {
            ffi::SQLITE_FULL => |_| failing(ffi::SQLITE_FULL),
            _ => |_| failing(ffi::SQLITE_BUSY),
        };
        let (wrote, outcomes) = run(&mut batches, vec![rows::registration(2), rows::registration(3)]);
        assert!(wrote.is_ok_and(|wrote| !wrote));
        assert_eq!(told(outcomes), [Err(StoreError::Unavailable.into()); 2]);
        assert_eq!(events(&batches.connection), 1);

        batches.commit = commit;
        let (wrote, outcomes) = run(&mut batches, vec![rows::registration(2)]);
        assert!(wrote.is_ok_and(|wrote| wrote));
        assert_eq!(told(outcomes), [Ok(())]);
        assert_eq!(events(&batches.connection), 2);
    }
}

#[test]
fn only_a_commit_that_is_known_not_to_have_happened_is_undone() {
    for code in [
        ffi::SQLITE_IOERR,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_CORRUPT,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_READONLY,
    ] {
        static CODE: AtomicU32 = AtomicU32::new(0);
        CODE.store(code.unsigned_abs(), Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let mut batches = batches(folder.path());
        batches.commit = |_| failing(CODE.load(Ordering::Relaxed).cast_signed());
        let (wrote, mut outcomes) = run(&mut batches, vec![rows::registration(1)]);
        let unknown = wrote.unwrap_err();
        assert_eq!(unknown.jobs.len(), 1, "{code}");
        assert!(outcomes[0].try_recv().is_err(), "nobody is told what nobody knows");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_commit_stops_the_process_and_answers_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches = batches(folder.path());
    batches.commit = |_| failing(ffi::SQLITE_IOERR_FSYNC);
    let (stopped, words) = mpsc::channel();
    let config = SqliteConfig {
        on_fatal: Arc::new(move |words| stopped.send(words.to_owned()).unwrap()),
        ..SqliteConfig::new(folder.path())
    };
    let handle = Handle::start(batches, config).unwrap();
    let (reply, mut outcome) = oneshot::channel();
    handle.send(Job::Commit(Box::new(rows::registration(1)), Reply::to(reply))).unwrap();
    assert_eq!(
        words.recv().unwrap(),
        "COMMIT failed in the middle: stopping, since nobody knows whether it is on the disk"
    );
    handle.stop().unwrap().join().unwrap();
    // Not closed: closed would say that nothing was written.
    assert_eq!(outcome.try_recv(), Err(oneshot::error::TryRecvError::Empty));
    assert_eq!(handle.ask(Job::Probe).await, Err(StoreError::Unavailable));
}

#[tokio::test]
async fn a_panic_of_the_writer_stops_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut batches = batches(folder.path());
    batches.commit = |_| panic!("a fault of ours");
    let (stopped, words) = mpsc::channel();
    let config = SqliteConfig {
        on_fatal: Arc::new(move |words| stopped.send(words.to_owned()).unwrap()),
        ..SqliteConfig::new(folder.path())
    };
    let handle = Handle::start(batches, config).unwrap();
    let (reply, _outcome) = oneshot::channel();
    handle.send(Job::Commit(Box::new(rows::registration(1)), Reply::to(reply))).unwrap();
    assert!(words.recv().unwrap().starts_with("the writer of the database panicked"));
}

#[test]
fn a_damaged_file_is_told_apart_from_one_that_cannot_be_written() {
    assert_eq!(Fault::Engine(ErrorCode::DatabaseCorrupt, 11).for_caller(), StoreError::Corrupt);
    assert_eq!(Fault::Engine(ErrorCode::SystemIoFailure, 10).for_caller(), StoreError::Unavailable);
}
