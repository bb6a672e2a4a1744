//! What is to be done after an erasure until no byte of the person is in the files: clear the pages, and cut the
//! write-ahead log, which still has them as they were, to nothing. Until then the erasure is pending.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::fault::Fault;
use super::batch::{Batches, Unknown};
use super::log;
use super::scrub::Scrub;

/// How long until what failed is tried again.
const PAUSE: Duration = log::IDLE;

/// How long a shutdown goes on with it; the next start does the rest.
const AT_THE_END: Duration = Duration::from_secs(2);

/// The erasures that are pending.
#[derive(Default)]
pub(super) struct Erasures {
    pending: Arc<AtomicU64>,
    scrub: Scrub,
    // How pages are cleared: one by one, or all by writing the database anew.
    by_page: bool,
    failed: Option<Instant>,
}

impl Erasures {
    /// Those that a process before this one may have left: nobody has written down whether it was done with the
    /// last of them.
    pub(super) fn of(batches: &Batches) -> Result<Self, Fault> {
        let connection = &batches.connection;
        let by_page = Scrub::is_possible(connection)?;
        let mut erasures = Self { pending: batches.pending(), by_page, ..Self::default() };
        if connection.prepare("SELECT 1 FROM erased_customers LIMIT 1")?.exists([])? {
            erasures.pending.fetch_add(1, Ordering::Relaxed);
            erasures.begin(connection);
        }
        Ok(erasures)
    }

    /// How many are pending, for others to read.
    pub(super) fn pending(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.pending)
    }

    /// More people were erased.
    pub(super) fn begin(&mut self, connection: &Connection) {
        if let Err(fault) = self.scrub.begin(connection) {
            fault.log("erasure");
        }
    }

    fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Relaxed) > 0
    }

    /// How long the writer may wait for something else to do.
    pub(super) fn patience(&self) -> Duration {
        if self.is_pending() && self.failed.is_none() { Duration::ZERO } else { log::IDLE }
    }

    /// Goes on with what is pending, for some milliseconds.
    ///
    /// # Errors
    /// [`Unknown`] where the process has to stop.
    pub(super) fn go_on(&mut self, batches: &mut Batches) -> Result<(), Unknown> {
        if !self.is_pending() || self.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Ok(());
        }
        self.failed = None;
        if !self.scrub.is_done() {
            let cleared = if self.by_page {
                batches.own(|connection| self.scrub.go_on(connection))?.map(drop)
            } else {
                batches.vacuum().map(|()| self.scrub.skip())
            };
            if let Err(fault) = cleared {
                fault.log("erasure");
                self.failed = Some(Instant::now());
            }
            if !self.scrub.is_done() {
                return Ok(());
            }
        }
        if log::cut(&batches.connection) {
            self.pending.store(0, Ordering::Relaxed);
        } else {
            let pending = self.pending.load(Ordering::Relaxed);
            tracing::warn!(pending, "readers keep what was erased in the write-ahead log; trying again");
            self.failed = Some(Instant::now());
        }
        Ok(())
    }

    /// At the end: as much as can be done in a moment, and the log written back in any case.
    pub(super) fn close(&mut self, batches: &mut Batches) -> Result<(), Unknown> {
        let begun = Instant::now();
        while self.is_pending() && self.failed.is_none() && begun.elapsed() < AT_THE_END {
            self.go_on(batches)?;
        }
        log::cut(&batches.connection);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use kyc_core::contract::store::rows;
    use kyc_core::ports::store::Write;
    use tokio::sync::oneshot;

    use super::super::{Job, Reply};
    use super::*;
    use crate::sqlite::{SqliteConfig, open};

    #[test]
    fn pages_are_cleared_one_by_one_or_all_by_writing_the_database_anew() {
        for by_page in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let opened = open::open(&SqliteConfig::new(folder.path())).unwrap();
            let mut batches = Batches::new(opened.connection, opened.head);
            let mut erasures = Erasures::of(&batches).unwrap();
            assert!(erasures.by_page, "this build can reach pages");
            erasures.by_page = by_page;
            let erasing = rows::changeset(1, vec![Write::EraseCustomer(rows::erasure(1))]);
            for changeset in [rows::registration(1), rows::registration(2), erasing] {
                let (reply, _outcome) = oneshot::channel();
                let ran = batches.run(&mut vec![Job::Commit(Box::new(changeset), Reply::to(reply))]);
                assert!(ran.is_ok_and(|wrote| wrote));
            }
            assert_eq!(batches.take_erased(), 1);
            erasures.begin(&batches.connection);
            assert_eq!(erasures.pending().load(Ordering::Relaxed), 1);
            assert_eq!(erasures.patience(), Duration::ZERO);
            assert!(erasures.go_on(&mut batches).is_ok());
            assert_eq!(erasures.pending().load(Ordering::Relaxed), 0);
            assert_eq!(std::fs::metadata(folder.path().join("kyc.db-wal")).unwrap().len(), 0);
        }
    }
}
