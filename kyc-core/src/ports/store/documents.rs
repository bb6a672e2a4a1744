//! Files: their chunks are staged before the changeset that makes a file of them, so that no changeset holds one.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::domain::document_file::DocumentFile;
use crate::domain::ids::{DocumentId, SubjectId};
use crate::ports::cipher::Sealed;

/// A file as a store keeps it, without its chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// Whose it is.
    pub subject: SubjectId,
    /// What it is. Its chunks are numbered from 0 to [`DocumentFile::chunks`] - 1.
    pub file: DocumentFile,
    /// The SHA-256 of its bytes, sealed.
    pub digest: Sealed,
}

/// Chunks of a file that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Whose file it will be.
    pub subject: SubjectId,
    /// The file's id.
    pub document: DocumentId,
    /// When the first of its chunks came.
    pub at: Timestamp,
    /// The number of the first chunk here; the others follow on it.
    pub first: u32,
    /// The chunks.
    pub chunks: Vec<Sealed>,
}

/// Reads of files.
#[async_trait]
pub trait DocumentReads: Send + Sync {
    /// The files of a customer, oldest first: by [`DocumentId`]. Those whose chunks are staged and that no changeset
    /// has named are not among them.
    async fn documents(&self, subject: SubjectId) -> Result<Vec<DocumentRow>, StoreError>;

    /// One chunk of a file; none where there is no such chunk, or none yet.
    async fn chunk(&self, document: DocumentId, index: u32) -> Result<Option<Sealed>, StoreError>;

    /// When the oldest file that no changeset has named was begun.
    async fn oldest_upload(&self) -> Result<Option<Timestamp>, StoreError>;
}
