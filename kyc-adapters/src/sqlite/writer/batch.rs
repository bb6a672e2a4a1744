//! One transaction for all that waits, a savepoint for each.

use rusqlite::{Connection, ErrorCode};

use super::super::apply::{self, Head};
use super::super::claim;
use super::super::fault::Fault;
use super::{Answer, Job};

/// What runs jobs in transactions.
pub(in crate::sqlite) struct Batches {
    pub(super) connection: Connection,
    head: Head,
    // Set where the last writing failed for want of space or by the disk, until one succeeds.
    failing: bool,
    // A field, so that a test can have it fail.
    pub(super) commit: fn(&Connection) -> Result<(), Fault>,
}

/// Nobody knows whether the transaction is durable, or it can't be undone.
pub(super) struct Unknown {
    /// The answers that it would have had.
    pub(super) answers: Vec<Answer>,
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

impl Batches {
    pub(in crate::sqlite) fn new(connection: Connection, head: Head) -> Self {
        let commit = |connection: &Connection| execute(connection, "COMMIT");
        Self { connection, head, failing: false, commit }
    }

    /// Runs the jobs and answers them. Whether anything was written.
    ///
    /// # Errors
    /// [`Unknown`] where the process has to stop; jobs of whose outcome there is no doubt were answered.
    pub(super) fn run(&mut self, jobs: &mut Vec<Job>) -> Result<bool, Unknown> {
        let before = self.head;
        let mut answers = Vec::with_capacity(jobs.len());
        match self.transaction(jobs, &mut answers) {
            Ok(wrote) => {
                answers.into_iter().for_each(Answer::give);
                Ok(wrote)
            }
            Err(Failure::Undone(fault)) => {
                fault.log("transaction");
                self.head = before;
                self.failing = true;
                let error = fault.for_caller();
                for answer in answers {
                    answer.refuse(error);
                }
                Ok(false)
            }
            Err(Failure::Unknown(fault, words)) => {
                fault.log("commit");
                Err(Unknown { answers, words })
            }
        }
    }

    // A job that is dropped unanswered has its caller told that nothing was written.
    fn transaction(&mut self, jobs: &mut Vec<Job>, answers: &mut Vec<Answer>) -> Result<bool, Failure> {
        execute(&self.connection, "BEGIN IMMEDIATE").map_err(Failure::Undone)?;
        let mut wrote = false;
        let mut full = false;
        for job in jobs.drain(..) {
            match self.job(job, &mut full) {
                Ok((answer, written)) => {
                    answers.push(answer);
                    wrote |= written;
                }
                Err(fault) => return Err(self.undo(fault)),
            }
        }
        self.failing |= full;
        if !wrote {
            return match self.undo(Fault::Unreadable) {
                Failure::Undone(_) => Ok(false),
                failure @ Failure::Unknown(..) => Err(failure),
            };
        }
        match (self.commit)(&self.connection) {
            Ok(()) => {
                self.failing = full;
                Ok(true)
            }
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

    /// Undoes the transaction, unless `SQLite` has already.
    fn undo(&self, fault: Fault) -> Failure {
        if self.connection.is_autocommit() {
            return Failure::Undone(fault);
        }
        match execute(&self.connection, "ROLLBACK") {
            Ok(()) => Failure::Undone(fault),
            Err(second) => {
                fault.log("transaction");
                Failure::Unknown(second, "ROLLBACK failed: stopping, since the connection can't be used")
            }
        }
    }

    /// The answer to a job, and whether it wrote. An error ends the whole transaction.
    fn job(&mut self, job: Job, full: &mut bool) -> Result<(Answer, bool), Fault> {
        match job {
            Job::Commit(changeset, reply) => {
                let result = self.in_savepoint("commit", full, |connection, head| {
                    apply::changeset(connection, head, &changeset)
                })?;
                let wrote = result.is_ok();
                Ok((Answer::Commit(reply, result.map_err(Fault::for_committer)), wrote))
            }
            Job::Claim(wish, reply) => {
                let result =
                    self.in_savepoint("claim", full, |connection, _| claim::take(connection, wish))?;
                let wrote = result.as_ref().is_ok_and(|taken| taken.wrote);
                let result = result.map(|taken| taken.claimed).map_err(Fault::for_caller);
                Ok((Answer::Claim(reply, result), wrote))
            }
            Job::Probe(reply) if self.failing => {
                let result = self.in_savepoint("probe", full, |connection, _| probe(connection))?;
                let wrote = result.is_ok();
                Ok((Answer::Probe(reply, result.map_err(Fault::for_caller)), wrote))
            }
            Job::Probe(reply) => Ok((Answer::Probe(reply, Ok(())), false)),
        }
    }

    /// Runs a piece of work so that its failure leaves nothing of it behind. The outer error ends the
    /// whole transaction; the inner one is the work's own.
    fn in_savepoint<T>(
        &mut self,
        doing: &'static str,
        full: &mut bool,
        work: impl FnOnce(&Connection, &mut Head) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Fault> {
        let before = self.head;
        execute(&self.connection, "SAVEPOINT job")?;
        match work(&self.connection, &mut self.head) {
            Ok(value) => {
                execute(&self.connection, "RELEASE job")?;
                Ok(Ok(value))
            }
            Err(fault @ Fault::Engine(..)) if !fault.is_full() => Err(fault),
            Err(fault) => {
                fault.log(doing);
                *full |= fault.is_full();
                self.head = before;
                execute(&self.connection, "ROLLBACK TO job")?;
                execute(&self.connection, "RELEASE job")?;
                Ok(Err(fault))
            }
        }
    }
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
