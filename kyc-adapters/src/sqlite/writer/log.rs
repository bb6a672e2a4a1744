//! The size of the write-ahead log: written back when nothing is to do, and bounded when readers keep
//! it from beginning anew.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::open;

/// How long nothing was written before the log is written back.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// The size past which writers wait for readers to leave the log, in bytes.
const BOUND: u64 = open::LOG_LIMIT;

/// How long they wait; a reader that stays longer is not ours.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long until they wait again.
const PAUSE: Duration = Duration::from_secs(5);

/// What is known of the log.
pub(super) struct Log {
    path: PathBuf,
    written: Option<Instant>,
    bounded: Option<Instant>,
}

impl Log {
    /// The log of the database in a folder.
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join(format!("{}-wal", open::DATABASE)), written: None, bounded: None }
    }

    /// After a commit: begins the log anew where it has outgrown its bound. `SQLite` writes it back by
    /// itself, but it can't begin anew while any reader is in it.
    pub(super) fn written(&mut self, connection: &Connection) {
        let now = Instant::now();
        self.written = Some(now);
        let rested = self.bounded.is_none_or(|at| now.duration_since(at) > PAUSE);
        if rested && std::fs::metadata(&self.path).is_ok_and(|log| log.len() > BOUND) {
            self.bounded = Some(now);
            checkpoint(connection, "RESTART");
        }
    }

    /// When there is nothing to write.
    pub(super) fn idle(&mut self, connection: &Connection) {
        if self.written.is_some_and(|at| at.elapsed() >= IDLE) {
            self.written = None;
            checkpoint(connection, "PASSIVE");
        }
    }
}

/// Writes all of it back, at the end.
pub(super) fn write_back(connection: &Connection) {
    checkpoint(connection, "TRUNCATE");
}

/// What can't be written back now stays in the log, where it is as safe: so a failure is logged, and that
/// is all.
fn checkpoint(connection: &Connection, mode: &str) {
    let result = connection.busy_timeout(PATIENCE).and_then(|()| {
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0))
    });
    match result {
        Ok(0) => {}
        Ok(_) => tracing::debug!(mode, "a reader keeps the write-ahead log from being written back whole"),
        Err(error) => {
            tracing::warn!(mode, code = ?error.sqlite_error_code(), "the write-ahead log can't be written back");
        }
    }
    if let Err(error) = connection.busy_timeout(open::BUSY) {
        tracing::warn!(code = ?error.sqlite_error_code(), "the busy timeout can't be set");
    }
}
