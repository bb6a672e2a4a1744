//! The audit events of a data folder that a process may be serving, read without the lock and without a write
//! to the database.

use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use kyc_core::domain::audit::ChainedEvent;
use kyc_core::domain::ids::{CustomerId, SubjectId};
use kyc_core::ports::store::{AuditReads, StoreError};
use rusqlite::{Connection, OpenFlags};

use super::fault::Fault;
use super::open::{self, DATABASE, OpenError};
use super::read;

/// The database of a data folder, opened to read beside whoever serves it.
///
/// It takes no lock that would keep anybody out, and sees what was committed, also what a process that was killed
/// left in the write-ahead log. `SQLite` may make the log's two side files where they are missing. In a folder
/// that can't be written to they can't be made; where no log waits to be read, it does without them, and then
/// nobody may begin to serve the folder meanwhile.
pub struct ReadOnlyStore {
    connection: Arc<Mutex<Connection>>,
}

impl fmt::Debug for ReadOnlyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnlyStore").finish_non_exhaustive()
    }
}

impl ReadOnlyStore {
    /// Opens the database of a folder.
    ///
    /// # Errors
    /// [`OpenError::NoDatabase`] where there is none, others where it can't be read.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let database = folder.join(DATABASE);
        if !database.is_file() {
            return Err(OpenError::NoDatabase);
        }
        let connection = match begin(&database, false) {
            Err(OpenError::Sqlite(code)) if is_for_want_of_side_files(code) && !has_log(&database) => {
                begin(&database, true)
            }
            opened => opened,
        }?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// As [`SqliteStore::missing`](super::SqliteStore::missing).
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn missing(&self) -> Result<Option<SubjectId>, StoreError> {
        self.aside(read::missing).await
    }

    /// Runs a read on a thread that may block.
    async fn aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        let work = tokio::task::spawn_blocking(move || {
            read(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        work.await.map_err(|_| StoreError::Unavailable)?.map_err(Fault::for_caller)
    }
}

fn begin(database: &Path, is_immutable: bool) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if is_immutable {
        Connection::open_with_flags(immutable(database), flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(database, flags)?
    };
    open::prepare_reader(&connection)?;
    match open::schema(&connection)? {
        0 => Err(OpenError::NoDatabase),
        found if found > open::known() => Err(OpenError::NewerSchema { found, known: open::known() }),
        _ => Ok(connection),
    }
}

/// The file as an address by which `SQLite` takes it for one that nobody writes.
fn immutable(database: &Path) -> String {
    let mut address = String::from("file:");
    for byte in database.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            address.push(char::from(*byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address + "?immutable=1"
}

/// The result codes by which `SQLite` says that it can't make or use the side files of the log.
const fn is_for_want_of_side_files(code: i32) -> bool {
    matches!(code & 0xff, rusqlite::ffi::SQLITE_CANTOPEN | rusqlite::ffi::SQLITE_READONLY)
}

/// Whether commits may be in the log that are not in the database yet. One that can't be looked at may hold some.
fn has_log(database: &Path) -> bool {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    match std::fs::metadata(log) {
        Ok(log) => log.len() > 0,
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

#[async_trait]
impl AuditReads for ReadOnlyStore {
    async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        self.aside(move |connection| read::audit_events(connection, sequence, limit)).await
    }

    async fn audit_events_before(
        &self,
        subject: Option<SubjectId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        self.aside(move |connection| read::audit_events_before(connection, subject, before, limit)).await
    }

    async fn customer_ids(&self, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, CustomerId)>, StoreError> {
        let subjects = subjects.to_vec();
        self.aside(move |connection| read::customer_ids(connection, &subjects)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_every_other_byte_escaped() {
        assert_eq!(
            immutable(Path::new("/a b?/ü#%/kyc.db")),
            "file:/a%20b%3F/%C3%BC%23%25/kyc.db?immutable=1"
        );
    }
}
