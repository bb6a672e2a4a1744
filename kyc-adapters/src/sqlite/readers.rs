//! The pool of read-only connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::ports::store::StoreError;
use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

    /// Runs a read of a few rows by index, here and now: it takes microseconds, several times less than
    /// handing it to another thread.
    pub(super) async fn at_once<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send,
    ) -> Result<T, StoreError> {
        // A caller who reads in a loop would else never let others run on its thread.
        tokio::task::coop::consume_budget().await;
        let _permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => self.permit().await?,
        };
        run(&self.pool, read)
    }

    /// Runs a read of many rows, on a thread that may block.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permit().await?;
        let pool = self.pool.clone();
        let work = tokio::task::spawn_blocking(move || {
            let result = run(&pool, read);
            drop(permit);
            result
        });
        work.await.map_err(|_| StoreError::Unavailable)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        tokio::time::timeout(WAIT, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| StoreError::Overloaded)?
            .map_err(|_| StoreError::Unavailable)
    }
}

/// The connection is back in the pool before the permit is given back.
fn run<T>(
    pool: &Pool<SqliteConnectionManager>,
    read: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, StoreError> {
    let connection = pool.get().map_err(|_| StoreError::Unavailable)?;
    read(&connection).map_err(|fault| {
        fault.log("read");
        fault.for_caller()
    })
}
