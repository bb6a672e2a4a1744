//! Opening a data folder: the lock, the file and its check, the schema, the connections.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::apply::Head;
use super::fault::Fault;
use super::readers::Readers;
use super::{SqliteConfig, Synchronous, read};

/// The name of the database in its folder.
pub(super) const DATABASE: &str = "kyc.db";
const LOCK: &str = "kyc.lock";

/// How long a connection waits for a lock of another process, such as a backup's.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// How large the write-ahead log stays once it begins anew, in bytes.
pub(super) const LOG_LIMIT: i64 = 64 * 1024 * 1024;

/// Versions before 3.51.3 can lose a commit when the log begins anew (the "WAL-reset bug", `SQLite` 3.7.0
/// to 3.51.2).
const OLDEST_SQLITE: i32 = 3_051_003;

/// The size of a page, in bytes: `SQLite`'s default.
pub(super) const PAGE_SIZE: i64 = 4096;
const STATEMENTS: usize = 64;

mod embedded {
    //! The migrations, read at compile time.
    refinery::embed_migrations!("migrations");
}

/// Why a data folder can't be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The lock is held.
    #[error("another process serves this data folder")]
    Locked,
    /// The folder or a file in it can't be made, read or locked.
    #[error("the data folder can't be used")]
    Folder(#[source] io::Error),
    /// There is nothing to read.
    #[error("there is no database in the data folder")]
    NoDatabase,
    /// What lies there is not a database, or is damaged.
    #[error("kyc.db is damaged or is not a database: restore it from a backup")]
    Damaged,
    /// A later version of this program has been here.
    #[error("the database has schema {found} and this program knows none after {known}: run a newer one")]
    NewerSchema {
        /// The schema of the database.
        found: i64,
        /// The newest schema that is known.
        known: i64,
    },
    /// A migration that was applied is not the one that this program has, or can't be applied.
    #[error("the schema of the database can't be brought up to date")]
    Schema(#[source] Box<refinery::Error>),
    /// The `SQLite` that was linked can lose commits.
    #[error("SQLite {0} can lose commits: 3.51.3 or newer is needed")]
    OldSqlite(&'static str),
    /// The file system can't share memory between connections, as some network file systems can't.
    #[error("SQLite can't keep a write-ahead log in the data folder: use a local file system")]
    NoLog,
    /// `SQLite` failed otherwise, with this result code.
    #[error("SQLite can't open the database (code {0})")]
    Sqlite(i32),
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Engine(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) | Fault::Unreadable => {
                Self::Damaged
            }
            Fault::Engine(_, code) => Self::Sqlite(code),
            Fault::Conflict(_) | Fault::Forbidden => Self::Sqlite(rusqlite::ffi::SQLITE_CONSTRAINT),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::from(error).into()
    }
}

pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) head: Head,
    pub(super) readers: Readers,
    pub(super) lock: File,
}

pub(super) fn open(config: &SqliteConfig) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    let database = config.folder.join(DATABASE);
    let lock = take_folder(&config.folder)?;
    make_file(&config.folder, &database).map_err(OpenError::Folder)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&database, flags)?;
    prepare_writer(&connection, config)?;
    check(&connection)?;
    migrate(&mut connection)?;
    // A process that died may have left a log with pages from before an erasure. Nobody else reads it now.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let head = read::head(&connection)?;
    let readers = Readers::open(&database, config.readers)
        .map_err(|_| OpenError::Sqlite(rusqlite::ffi::SQLITE_CANTOPEN))?;
    Ok(Opened { connection, head, readers, lock })
}

/// Makes the folder where it is missing, and locks it.
fn take_folder(folder: &Path) -> Result<File, OpenError> {
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(OpenError::Folder)?;
        if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent).map_err(OpenError::Folder)?;
        }
    }
    let lock = private().open(folder.join(LOCK)).map_err(OpenError::Folder)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => Err(OpenError::Folder(error)),
    }
}

/// Makes the file where it is missing, before `SQLite` does, which would make it readable for others. The
/// log and the shared memory get the mode of the database.
fn make_file(folder: &Path, database: &Path) -> io::Result<()> {
    if database.exists() {
        let mode = std::fs::metadata(database)?.mode();
        if mode & 0o077 != 0 {
            std::fs::set_permissions(database, Permissions::from_mode(0o600))?;
        }
        return Ok(());
    }
    private().open(database)?.sync_all()?;
    sync_folder(folder)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options
}

/// A new entry of a folder survives the loss of power only when the folder is synced as well.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn prepare_writer(connection: &Connection, config: &SqliteConfig) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoLog);
    }
    let synchronous = match config.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous};
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {LOG_LIMIT};"
    ))?;
    if let Some(bytes) = config.max_bytes {
        connection.execute_batch(&format!(
            "PRAGMA max_page_count = {}",
            (bytes / PAGE_SIZE.unsigned_abs()).max(1)
        ))?;
    }
    Ok(())
}

/// Prepares a connection of the pool. What it can't write it can't damage.
pub(super) fn prepare_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -16384;",
    )
}

/// Reads every page once, so that a damaged database is refused and not served as an empty one.
fn check(connection: &Connection) -> Result<(), OpenError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged) }
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let (found, known) = (schema(connection)?, known());
    if found > known {
        return Err(OpenError::NewerSchema { found, known });
    }
    embedded::migrations::runner()
        .run(connection)
        .map(drop)
        .map_err(|error| OpenError::Schema(Box::new(error)))
}

/// The newest schema that this program knows.
pub(super) fn known() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// The schema of a database; 0 where it has none of ours.
pub(super) fn schema(connection: &Connection) -> Result<i64, OpenError> {
    let history = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
    if connection.query_row(history, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    let newest: Option<i64> =
        connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?;
    Ok(newest.unwrap_or(0))
}
