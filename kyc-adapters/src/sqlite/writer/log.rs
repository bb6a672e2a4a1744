//! The write-ahead log: written back after callers were answered and when nothing is to do, and bounded
//! where readers keep it from beginning anew.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::open;

/// How long nothing was written before the log is written back.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// How many pages of the log may wait to be written back: 16 MiB, at most some tenths of a second.
const WAITING: i64 = 4096;

/// The size past which the writer waits for readers to leave the log, in pages.
const BOUND: i64 = open::LOG_LIMIT / open::PAGE_SIZE;

/// How long it waits; a reader that stays longer is not ours.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long until it waits again.
const PAUSE: Duration = Duration::from_secs(5);

/// What was last done about the log.
#[derive(Default)]
pub(super) struct Log {
    written: Option<Instant>,
    waited: Option<Instant>,
}

/// How far the log is written back, in pages.
struct Progress {
    /// Whether readers were in the way.
    busy: bool,
    length: i64,
    done: i64,
}

impl Log {
    /// After a commit whose callers were answered.
    pub(super) fn written(&mut self, connection: &Connection) {
        let now = Instant::now();
        self.written = Some(now);
        if checkpoint(connection, "NOOP").is_none_or(|log| log.length - log.done < WAITING) {
            return;
        }
        let Some(log) = checkpoint(connection, "PASSIVE") else { return };
        // The next commit begins the log anew only if nobody reads in it then: so wait for such a moment.
        if log.length > BOUND && self.waited.is_none_or(|at| now.duration_since(at) > PAUSE) {
            self.waited = Some(now);
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

/// Writes all of it back and cuts it to nothing. Whether that succeeded: readers may be in the way.
pub(super) fn cut(connection: &Connection) -> bool {
    checkpoint(connection, "TRUNCATE").is_some_and(|log| !log.busy)
}

/// What can't be written back now stays in the log, where it is as safe: so a failure is logged, and that
/// is all.
fn checkpoint(connection: &Connection, mode: &str) -> Option<Progress> {
    let result = connection.busy_timeout(PATIENCE).and_then(|()| {
        connection
            .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?
            .query_row([], |row| Ok(Progress { busy: row.get(0)?, length: row.get(1)?, done: row.get(2)? }))
    });
    let error = match (result, connection.busy_timeout(open::BUSY)) {
        (Ok(progress), Ok(())) => return Some(progress),
        (Err(error), _) | (_, Err(error)) => error,
    };
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    tracing::warn!(mode, code, "the write-ahead log can't be written back");
    None
}
