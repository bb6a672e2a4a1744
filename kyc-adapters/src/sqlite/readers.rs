//! The pool of read-only connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::ports::store::StoreError;
use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::open;

/// How long a read waits for a connection before the caller is told that there is too much to do.
const WAIT: Duration = Duration::from_secs(2);

pub(super) struct Readers {
    pool: Pool<SqliteConnectionManager>,
    // As many permits as connections: callers wait here, without a thread, and never in the pool.
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Opens the connections.
    pub(super) fn open(database: &Path, readers: u32) -> Result<Self, r2d2::Error> {
        let readers = readers.max(1);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(database)
            .with_flags(flags)
            .with_init(|connection| open::prepare_reader(connection));
        let pool = Pool::builder()
            .max_size(readers)
            // A connection stays for good: its cache is warm, and a local file does not hang up.
            .min_idle(None)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(WAIT)
            .build(manager)?;
        Ok(Self { pool, permits: Arc::new(Semaphore::new(usize::try_from(readers).unwrap_or(1))) })
    }

    /// Runs a read on one of the connections.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = tokio::time::timeout(WAIT, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| StoreError::Overloaded)?
            .map_err(|_| StoreError::Unavailable)?;
        let pool = self.pool.clone();
        let work = tokio::task::spawn_blocking(move || {
            let connection = pool.get().map_err(|_| StoreError::Unavailable)?;
            let result = read(&connection);
            // First the connection: whoever gets the permit finds it in the pool.
            drop(connection);
            drop(permit);
            result.map_err(|fault| {
                fault.log("read");
                fault.for_caller()
            })
        });
        work.await.map_err(|_| StoreError::Unavailable)?
    }
}
