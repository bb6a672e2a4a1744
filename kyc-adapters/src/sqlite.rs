//! The store in `SQLite`: one writer thread that commits many changesets with one sync, and a pool of
//! read-only connections beside it.
//!
//! ```text
//! commit, claim -> bounded queue -> writer thread: BEGIN, each, COMMIT -> answers
//! reads         -> pool of read-only connections, WAL mode
//! ```
//!
//! Reads of single rows run where they are called, since they take a few microseconds and the way to
//! another thread takes several times as long; lists, reports and pages of events run on threads that may
//! block.
//!
//! * **Durability (I1).** `synchronous=FULL`: a caller is answered after the COMMIT that its changeset is
//!   part of has synced the write-ahead log.
//! * **Isolation.** A bad changeset fails alone: what failed before it wrote needs no undoing, and otherwise
//!   all is undone and done again with a savepoint each. Each read is one statement or one transaction, and
//!   so sees one commit.
//! * **An error at COMMIT that leaves the outcome unknown** stops the process; see [`OnFatal`].
//! * **A full disk** refuses writes while reads go on, and heals without a restart.
//! * **One process.** A lock on `kyc.lock` in the folder is held for the life of the store; a [`ReadOnlyStore`]
//!   reads beside it. Never open and
//!   close `kyc.db` as a plain file in this process: POSIX would drop `SQLite`'s own locks on it.
//!
//! The methods need a `tokio` runtime with time enabled.

mod apply;
mod claim;
mod documents;
mod erase;
mod fault;
mod open;
mod read;
mod read_only;
mod readers;
mod rows;
mod sql;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use kyc_core::domain::api_key::ApiKey;
use kyc_core::domain::audit::ChainedEvent;
use kyc_core::domain::erasure::Erasure;
use kyc_core::domain::ids::{CustomerId, DocumentId, SubjectId, VerificationId};
use kyc_core::domain::key_use::KeyUse;
use kyc_core::domain::report::{DayCount, Range};
use kyc_core::domain::verification::Verification;
use kyc_core::ports::cipher::{Fingerprint, Sealed};
use kyc_core::ports::store::{
    ApiKeyReads, AuditReads, Changeset, Claim, Claimed, CommitError, CustomerFilter, CustomerReads,
    CustomerRecord, DocumentReads, DocumentRow, EndedRelationship, ErasureReads, Forgetting, ForgettingReads,
    IdempotencyReads, KeyCount, KeyReads, PageRequest, Queue, Recorded, ReportReads, Sharing, Standing,
    Store, StoreError, Upload, VerificationReads, VerificationRecord, VersionRow,
};

pub use open::OpenError;
pub use read_only::ReadOnlyStore;
use readers::Readers;
use writer::{Batches, Handle, Job};

/// What is called when the writer can't know whether a commit is durable, with the reason in words.
///
/// The default prints nothing more than the log does and aborts the process, since whatever was answered
/// after such an error might not be true: on restart the commit is there or it isn't. A hook that returns
/// leaves the store without a writer, and the callers whose outcome is unknown without an answer.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// How a [`SqliteStore`] is opened.
#[derive(Clone)]
pub struct SqliteConfig {
    /// The folder of the data, made where it is missing, with access for its owner only.
    pub folder: PathBuf,
    /// How many read-only connections there are, and so how many reads at once.
    pub readers: u32,
    /// How many changesets and claims may wait; past it callers get [`StoreError::Overloaded`].
    pub queue: usize,
    /// The most changesets and claims that share a transaction, and so a sync.
    pub batch: usize,
    /// How large the database file may grow, in bytes, so that it can't fill a disk that others need.
    /// Past it writes fail as on a full disk. None: as large as `SQLite` allows.
    pub max_bytes: Option<u64>,
    /// See [`OnFatal`].
    pub on_fatal: OnFatal,
    /// For tests of durability only.
    #[doc(hidden)]
    pub synchronous: Synchronous,
}

impl SqliteConfig {
    /// The defaults, for the data in `folder`: 4 readers, a queue of 1024, 512 to a transaction.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            readers: 4,
            queue: 1024,
            batch: 512,
            max_bytes: None,
            on_fatal: Arc::new(|_| std::process::abort()),
            synchronous: Synchronous::Full,
        }
    }
}

impl fmt::Debug for SqliteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConfig")
            .field("folder", &self.folder)
            .field("readers", &self.readers)
            .field("queue", &self.queue)
            .field("batch", &self.batch)
            .field("max_bytes", &self.max_bytes)
            .field("synchronous", &self.synchronous)
            .finish_non_exhaustive()
    }
}

/// When `SQLite` syncs (`PRAGMA synchronous`).
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// At every commit: what the store promises.
    Full,
    /// At checkpoints only. An acknowledged write can be lost with the power, so this exists only for the
    /// test that must be able to see it: a durability test that passes with `Normal` tests nothing.
    Normal,
}

/// A store in `SQLite`; see the [module](self).
pub struct SqliteStore {
    // Dropped in this order: the writer finishes and checkpoints before the lock goes.
    writer: Handle,
    readers: Readers,
    lock: File,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the data of a folder, or begins it: takes the lock, checks the file, brings the schema up to
    /// date, and starts the writer. It blocks, longer the larger the database is, since every page is read
    /// once.
    ///
    /// # Errors
    /// [`OpenError`] says in words why the folder can't be served.
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let opened = open::open(&config)?;
        let batches = Batches::new(opened.connection, opened.head);
        let writer = Handle::start(batches, config).map_err(OpenError::Folder)?;
        Ok(Self { writer, readers: opened.readers, lock: opened.lock })
    }

    /// A person of whom the audit log tells and of whom something is gone that was not erased: rows were deleted
    /// by hand. It looks at everybody, so it is for no request: about a second for a million events.
    ///
    /// # Errors
    /// [`StoreError`] where the database can't be read.
    pub async fn missing(&self) -> Result<Option<SubjectId>, StoreError> {
        self.readers.aside(read::missing).await
    }

    /// How many people were erased of whom the files may still hold something: the write-ahead log is cut to
    /// nothing after each erasure, once no reader is in it. Zero says that every erasure is complete.
    #[must_use]
    pub fn pending_erasures(&self) -> u64 {
        self.writer.pending_erasures()
    }

    /// Finishes what is queued, writes the log back into the database, and gives the folder free. Writes
    /// that come later get [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.writer.close().await;
        // A lock that can't be given back goes with the process.
        let _ = self.lock.unlock();
    }
}

#[async_trait]
impl CustomerReads for SqliteStore {
    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        self.readers.at_once(|connection| read::customer(connection, id)).await
    }

    async fn standing(&self, id: &CustomerId) -> Result<Option<Standing>, StoreError> {
        self.readers.at_once(|connection| read::standing(connection, id)).await
    }

    async fn customers(
        &self,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Vec<CustomerRecord>, StoreError> {
        self.readers.aside(move |connection| read::customers(connection, filter, page)).await
    }

    async fn customers_by_fingerprints(
        &self,
        fingerprints: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<CustomerRecord>, StoreError> {
        let wanted = fingerprints.to_vec();
        self.readers
            .aside(move |connection| read::customers_by_fingerprints(connection, &wanted, limit))
            .await
    }

    async fn sharing(
        &self,
        fingerprints: &[Fingerprint],
        except: SubjectId,
        limit: u32,
    ) -> Result<Vec<Sharing>, StoreError> {
        self.readers.at_once(|connection| read::sharing(connection, fingerprints, except, limit)).await
    }

    async fn expired_customers(&self, now: Timestamp, limit: u32) -> Result<Vec<CustomerId>, StoreError> {
        self.readers.aside(move |connection| read::expired_customers(connection, now, limit)).await
    }
}

#[async_trait]
impl VerificationReads for SqliteStore {
    async fn verification(&self, id: VerificationId) -> Result<Option<VerificationRecord>, StoreError> {
        self.readers.at_once(move |connection| read::verification(connection, id)).await
    }

    async fn verification_by_reference(
        &self,
        reference: [u8; 32],
    ) -> Result<Option<VerificationRecord>, StoreError> {
        self.readers.at_once(move |connection| read::verification_by_reference(connection, reference)).await
    }

    async fn verifications(&self, subject: SubjectId) -> Result<Vec<Verification>, StoreError> {
        self.readers.aside(move |connection| read::verifications(connection, subject)).await
    }

    async fn answer(&self, id: VerificationId) -> Result<Option<Sealed>, StoreError> {
        self.readers.at_once(move |connection| read::answer(connection, id)).await
    }

    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        self.readers.at_once(move |connection| read::next_due(connection, queue)).await
    }
}

#[async_trait]
impl ReportReads for SqliteStore {
    async fn counts(&self, range: Range) -> Result<Vec<DayCount>, StoreError> {
        self.readers.aside(move |connection| read::counts(connection, range)).await
    }
}

#[async_trait]
impl AuditReads for SqliteStore {
    async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        self.readers.aside(move |connection| read::audit_events(connection, sequence, limit)).await
    }

    async fn audit_events_before(
        &self,
        subject: Option<SubjectId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        self.readers
            .aside(move |connection| read::audit_events_before(connection, subject, before, limit))
            .await
    }

    async fn customer_ids(&self, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, CustomerId)>, StoreError> {
        let subjects = subjects.to_vec();
        self.readers.aside(move |connection| read::customer_ids(connection, &subjects)).await
    }
}

#[async_trait]
impl ApiKeyReads for SqliteStore {
    async fn api_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.readers.at_once(move |connection| read::api_key_by_digest(connection, &digest)).await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.aside(read::api_keys).await
    }
}

#[async_trait]
impl IdempotencyReads for SqliteStore {
    async fn recorded(&self, key: [u8; 32]) -> Result<Option<Recorded>, StoreError> {
        self.readers.at_once(move |connection| read::recorded(connection, &key)).await
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.at_once(read::next_expiry).await
    }
}

#[async_trait]
impl ErasureReads for SqliteStore {
    async fn erasure(&self, fingerprints: &[Fingerprint]) -> Result<Option<Erasure>, StoreError> {
        self.readers.at_once(|connection| read::erasure(connection, fingerprints)).await
    }

    async fn erasures(&self, after: Option<SubjectId>, limit: u32) -> Result<Vec<Erasure>, StoreError> {
        self.readers.aside(move |connection| read::erasures(connection, after, limit)).await
    }

    async fn versions(&self, subject: SubjectId) -> Result<Vec<VersionRow>, StoreError> {
        self.readers.aside(move |connection| read::versions(connection, subject)).await
    }

    async fn retention_due(
        &self,
        before: Date,
        after: Option<(Date, SubjectId)>,
        limit: u32,
    ) -> Result<Vec<EndedRelationship>, StoreError> {
        self.readers.aside(move |connection| read::retention_due(connection, before, after, limit)).await
    }
}

#[async_trait]
impl ForgettingReads for SqliteStore {
    async fn due_forgettings(&self, now: Timestamp, limit: u32) -> Result<Vec<Forgetting>, StoreError> {
        self.readers.aside(move |connection| read::due_forgettings(connection, now, limit)).await
    }

    async fn forgettings(
        &self,
        after: Option<VerificationId>,
        limit: u32,
    ) -> Result<Vec<Forgetting>, StoreError> {
        self.readers.aside(move |connection| read::forgettings(connection, after, limit)).await
    }
}

#[async_trait]
impl KeyReads for SqliteStore {
    async fn key_counts(&self, of: KeyUse) -> Result<Vec<KeyCount>, StoreError> {
        self.readers.aside(move |connection| read::key_counts(connection, of)).await
    }

    async fn fingerprinted_otherwise(
        &self,
        subjects: &[SubjectId],
        current: u32,
    ) -> Result<Vec<SubjectId>, StoreError> {
        let subjects = subjects.to_vec();
        self.readers
            .aside(move |connection| read::fingerprinted_otherwise(connection, &subjects, current))
            .await
    }

    async fn erased_key_counts(&self) -> Result<Vec<KeyCount>, StoreError> {
        self.readers.aside(read::erased_key_counts).await
    }
}

#[async_trait]
impl DocumentReads for SqliteStore {
    async fn documents(&self, subject: SubjectId) -> Result<Vec<DocumentRow>, StoreError> {
        self.readers.at_once(move |connection| read::documents(connection, subject)).await
    }

    async fn chunk(&self, document: DocumentId, index: u32) -> Result<Option<Sealed>, StoreError> {
        self.readers.aside(move |connection| read::chunk(connection, document, index)).await
    }

    async fn oldest_upload(&self) -> Result<Option<Timestamp>, StoreError> {
        self.readers.at_once(read::oldest_upload).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, changeset: Changeset) -> Result<(), CommitError> {
        self.writer.ask(|reply| Job::Commit(Box::new(changeset), reply)).await?
    }

    async fn stage(&self, upload: Upload) -> Result<(), CommitError> {
        self.writer.ask(|reply| Job::Stage(Box::new(upload), reply)).await?
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.writer.ask(|reply| Job::Claim(claim, reply)).await?
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer.ask(Job::Probe).await??;
        self.readers.at_once(read::schema).await
    }
}
