//! One transaction for all that waits, in which a job that fails leaves nothing behind.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kyc_core::ports::store::{Changeset, Write};
use rusqlite::{Connection, ErrorCode};

use super::super::apply::{self, Head};
use super::super::claim;
use super::super::documents;
use super::super::fault::Fault;
use super::Job;

/// What runs jobs in transactions.
pub(in crate::sqlite) struct Batches {
    pub(super) connection: Connection,
    head: Head,
    // Set where the last writing failed for want of space or by the disk, until one succeeds.
    failing: bool,
    // Erasures of the transaction under way, and those that are committed and nobody has asked for yet.
    erasing: u64,
    erased: u64,
    pending: Arc<AtomicU64>,
    // A field, so that a test can have it fail.
    pub(super) commit: fn(&Connection) -> Result<(), Fault>,
}

/// Nobody knows whether the transaction is durable, or it can't be undone.
pub(super) struct Unknown {
    /// The jobs in it.
    pub(super) jobs: Vec<Job>,
    /// What happened.
    pub(super) words: &'static str,
}

/// Why a transaction did not succeed.
enum Failure {
    /// Nothing of it was written.
    Undone(Fault),
    /// It may have been.
    Unknown(Fault, &'static str),
}

/// How what a failed job has written is undone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// With all else in the transaction.
    Together,
    /// By a savepoint around each job, which is a tenth more work for all of them.
    Alone,
}

impl Batches {
    pub(in crate::sqlite) fn new(connection: Connection, head: Head) -> Self {
        let commit = |connection: &Connection| execute(connection, "COMMIT");
        Self { connection, head, failing: false, erasing: 0, erased: 0, pending: Arc::default(), commit }
    }

    /// How many erasures are pending. It rises before their callers are answered, so that whoever knows of one
    /// sees it counted.
    pub(super) fn pending(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.pending)
    }

    /// How many people were erased since this was last asked.
    pub(super) const fn take_erased(&mut self) -> u64 {
        std::mem::replace(&mut self.erased, 0)
    }

    /// Runs the jobs and answers them. Whether anything was written.
    ///
    /// A job that fails has rarely written anything: guards come first. So there are no savepoints at first;
    /// where one is missed, everything is undone and done again with them.
    ///
    /// # Errors
    /// [`Unknown`] where the process has to stop.
    pub(super) fn run(&mut self, jobs: &mut Vec<Job>) -> Result<bool, Unknown> {
        let before = self.head;
        let mut ended = self.transaction(jobs, Undo::Together);
        // What waited in vain for the lock of another process has waited long enough.
        if let Err(Failure::Undone(fault)) = ended
            && !matches!(fault, Fault::Engine(ErrorCode::DatabaseBusy, _))
        {
            self.head = before;
            ended = self.transaction(jobs, Undo::Alone);
        }
        match ended {
            Ok(wrote) => {
                jobs.drain(..).for_each(Job::give);
                Ok(wrote)
            }
            Err(Failure::Undone(fault)) => {
                fault.log("transaction");
                self.head = before;
                self.failing = true;
                let error = fault.for_caller();
                jobs.drain(..).for_each(|job| job.refuse(error));
                Ok(false)
            }
            Err(Failure::Unknown(fault, words)) => {
                fault.log("commit");
                Err(Unknown { jobs: mem::take(jobs), words })
            }
        }
    }

    /// Runs the jobs in one transaction, and leaves with each its answer.
    fn transaction(&mut self, jobs: &mut [Job], undo: Undo) -> Result<bool, Failure> {
        execute(&self.connection, "BEGIN IMMEDIATE").map_err(Failure::Undone)?;
        let mut wrote = false;
        let mut full = false;
        self.erasing = 0;
        for job in jobs {
            match self.job(job, undo, &mut full) {
                Ok(written) => wrote |= written,
                Err(fault) => return Err(self.undo(fault)),
            }
        }
        self.failing |= full;
        if !wrote {
            return self.roll_back().map(|()| false);
        }
        self.end()?;
        self.failing = full;
        self.erased += self.erasing;
        self.pending.fetch_add(self.erasing, Ordering::Relaxed);
        Ok(true)
    }

    /// Commits the transaction.
    fn end(&self) -> Result<(), Failure> {
        match (self.commit)(&self.connection) {
            Ok(()) => Ok(()),
            // A frame of the log that found no space was not written, so neither was the mark of the
            // commit, which is in the last one; and a busy COMMIT has not begun.
            Err(fault @ Fault::Engine(ErrorCode::DiskFull | ErrorCode::DatabaseBusy, _)) => {
                Err(self.undo(fault))
            }
            Err(fault) => Err(Failure::Unknown(
                fault,
                "COMMIT failed in the middle: stopping, since nobody knows whether it is on the disk",
            )),
        }
    }

    /// Runs work of the writer's own in a transaction, which is committed where it says that it wrote. The inner
    /// error says that nothing was written.
    ///
    /// # Errors
    /// [`Unknown`] where the process has to stop.
    pub(super) fn own(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<bool, Fault>,
    ) -> Result<Result<bool, Fault>, Unknown> {
        if let Err(fault) = execute(&self.connection, "BEGIN IMMEDIATE") {
            return Ok(Err(fault));
        }
        let ended = match work(&self.connection) {
            Ok(true) => self.end().map(|()| true),
            Ok(false) => self.roll_back().map(|()| false),
            Err(fault) => Err(self.undo(fault)),
        };
        match ended {
            Ok(wrote) => Ok(Ok(wrote)),
            Err(Failure::Undone(fault)) => Ok(Err(fault)),
            Err(Failure::Unknown(fault, words)) => {
                fault.log("commit");
                Err(Unknown { jobs: Vec::new(), words })
            }
        }
    }

    /// Writes the whole database anew, which leaves nothing of what was deleted.
    pub(super) fn vacuum(&self) -> Result<(), Fault> {
        execute(&self.connection, "VACUUM")
    }

    fn undo(&self, fault: Fault) -> Failure {
        match self.roll_back() {
            Ok(()) => Failure::Undone(fault),
            Err(failure) => {
                fault.log("transaction");
                failure
            }
        }
    }

    /// Undoes the transaction, unless `SQLite` has already.
    fn roll_back(&self) -> Result<(), Failure> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        execute(&self.connection, "ROLLBACK").map_err(|fault| {
            Failure::Unknown(fault, "ROLLBACK failed: stopping, since the connection can't be used")
        })
    }

    /// Runs a job and leaves its answer with it. Whether it wrote; an error ends the whole transaction.
    fn job(&mut self, job: &mut Job, undo: Undo, full: &mut bool) -> Result<bool, Fault> {
        match job {
            Job::Commit(changeset, reply) => {
                let result = self.attempt("commit", undo, full, |connection, head| {
                    apply::changeset(connection, head, changeset)
                })?;
                let wrote = result.is_ok();
                if wrote {
                    self.erasing += erasures(changeset);
                }
                reply.answer = Some(result.map_err(Fault::for_committer));
                Ok(wrote)
            }
            Job::Stage(upload, reply) => {
                let result =
                    self.attempt("stage", undo, full, |connection, _| documents::stage(connection, upload))?;
                let wrote = result.is_ok();
                reply.answer = Some(result.map_err(Fault::for_committer));
                Ok(wrote)
            }
            Job::Claim(wish, reply) => {
                let wish = *wish;
                let result =
                    self.attempt("claim", undo, full, |connection, _| claim::take(connection, wish))?;
                let wrote = result.as_ref().is_ok_and(|taken| taken.wrote);
                reply.answer = Some(result.map(|taken| taken.claimed).map_err(Fault::for_caller));
                Ok(wrote)
            }
            Job::Probe(reply) if self.failing => {
                let result = self.attempt("probe", undo, full, |connection, _| probe(connection))?;
                let wrote = result.is_ok();
                reply.answer = Some(result.map_err(Fault::for_caller));
                Ok(wrote)
            }
            Job::Probe(reply) => {
                reply.answer = Some(Ok(()));
                Ok(false)
            }
        }
    }

    /// Runs a piece of work so that its failure leaves nothing of it behind. The outer error ends the
    /// whole transaction; the inner one is the work's own.
    fn attempt<T>(
        &mut self,
        doing: &'static str,
        undo: Undo,
        full: &mut bool,
        work: impl FnOnce(&Connection, &mut Head) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Fault> {
        let before = self.head;
        let changes = self.connection.total_changes();
        if undo == Undo::Alone {
            execute(&self.connection, "SAVEPOINT job")?;
        }
        let result = work(&self.connection, &mut self.head);
        let Err(fault) = result else {
            if undo == Undo::Alone {
                execute(&self.connection, "RELEASE job")?;
            }
            return Ok(result);
        };
        let is_the_works_own = fault.is_full() || !matches!(fault, Fault::Engine(..));
        let wrote = self.connection.total_changes() != changes || self.connection.is_autocommit();
        if !is_the_works_own || (wrote && undo == Undo::Together) {
            return Err(fault);
        }
        fault.log(doing);
        *full |= fault.is_full();
        self.head = before;
        if undo == Undo::Alone {
            execute(&self.connection, "ROLLBACK TO job")?;
            execute(&self.connection, "RELEASE job")?;
        }
        Ok(result)
    }
}

/// How many writes take something away of which nothing may be left in the file.
fn erasures(changeset: &Changeset) -> u64 {
    let erases = |write: &&Write| matches!(write, Write::EraseCustomer(_) | Write::RemoveForgetting(_));
    u64::try_from(changeset.writes.iter().filter(erases).count()).unwrap_or(u64::MAX)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Fault> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Takes space for a few pages and gives it back: it succeeds where an ordinary changeset would.
fn probe(connection: &Connection) -> Result<(), Fault> {
    execute(connection, "INSERT OR REPLACE INTO probe (id, filler) VALUES (1, zeroblob(32768))")?;
    execute(connection, "DELETE FROM probe")
}
