//! Reads the content of a file, chunk by chunk.

use std::fmt;

use sha2::{Digest, Sha256};

use super::super::sealing::{Place, open};
use super::super::{Kyc, PortFailure};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::document_file::{DocumentFile, FileDigest};
use crate::ports::cipher::CipherError;
use crate::ports::store::CustomerRow;

/// The content of one file, from its beginning to its end. It holds one chunk at a time.
pub struct DocumentReader {
    kyc: Kyc,
    actor: Actor,
    row: CustomerRow,
    file: DocumentFile,
    next: u32,
}

impl DocumentReader {
    pub(super) const fn new(kyc: Kyc, actor: Actor, row: CustomerRow, file: DocumentFile) -> Self {
        Self { kyc, actor, row, file, next: 0 }
    }

    /// The file that is read.
    #[must_use]
    pub const fn file(&self) -> &DocumentFile {
        &self.file
    }

    /// The next bytes; none after the last.
    ///
    /// # Errors
    /// [`PortFailure`] where the store can't be read, or a chunk is missing or does not open, which is audited.
    pub async fn next_chunk(&mut self) -> Result<Option<Secret<Vec<u8>>>, PortFailure> {
        if self.next == self.file.chunks() {
            return Ok(None);
        }
        let chunk = self.chunk(self.next).await?;
        self.next += 1;
        Ok(Some(chunk))
    }

    /// Reads all of it, and holds it against its digest and its size.
    pub(super) async fn verify(&self, digest: &FileDigest) -> Result<(), PortFailure> {
        let (mut hash, mut size) = (Sha256::new(), 0);
        for index in 0..self.file.chunks() {
            let chunk = self.chunk(index).await?;
            hash.update(chunk.expose());
            size += chunk.expose().len() as u64;
        }
        let found = FileDigest::from_bytes(hash.finalize().into());
        if found == *digest && size == self.file.size {
            Ok(())
        } else {
            Err(self.kyc.alarm(&self.actor, self.row.subject, CipherError::Unreadable).await)
        }
    }

    /// Appends the whole content to a buffer that has room for it.
    pub(super) async fn append_to(&mut self, buffer: &mut Vec<u8>) -> Result<(), PortFailure> {
        while let Some(chunk) = self.next_chunk().await? {
            buffer.extend_from_slice(chunk.expose());
        }
        Ok(())
    }

    async fn chunk(&self, index: u32) -> Result<Secret<Vec<u8>>, PortFailure> {
        let (document, is_last) = (self.file.id, index + 1 == self.file.chunks());
        let place = Place::Chunk { document, index, is_last };
        let opened = match self.kyc.ports.store.chunk(document, index).await? {
            Some(sealed) => open(&*self.kyc.ports.cipher, &self.row, place, &sealed),
            // It may have been removed meanwhile; who knows of no removal has to hear of it.
            None => Err(CipherError::Unreadable),
        };
        match opened {
            Ok(chunk) => Ok(chunk),
            Err(error) => Err(self.kyc.alarm(&self.actor, self.row.subject, error).await),
        }
    }
}

impl fmt::Debug for DocumentReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentReader")
            .field("file", &self.file)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}
