//! The files of a customer: add one, list them, read one, remove one.
//!
//! A file is sealed in chunks, and these are staged in the store before the changeset that makes a file of them, so
//! that neither a changeset nor the store's queue ever holds a whole one. What no changeset has named is swept.

mod add;
mod reader;
mod submitted;

pub use self::add::{AddDocument, AddDocumentError};
pub use self::reader::DocumentReader;
pub(super) use self::submitted::Submitted;
use super::absence::Absence;
use super::change::Change;
use super::sealing::{fingerprints, open_digests};
use super::{Kyc, PortFailure, ROUNDS, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::Customer;
use crate::domain::document_file::{DocumentFile, FileDigest};
use crate::domain::ids::{CustomerId, DocumentId};
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::cipher::Fingerprint;
use crate::ports::store::{CustomerRecord, CustomerRow, DocumentRow, Write};

/// A file of a customer, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    /// The caller's id of the customer.
    pub customer_id: CustomerId,
    /// What it is.
    pub file: DocumentFile,
    /// The SHA-256 of its bytes.
    pub digest: FileDigest,
}

/// Why the files of a customer were not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentsError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// Why the content of a file was not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The customer has no file with this id.
    #[error("the customer has no file with this id")]
    NotFound,
    /// A port failed. A file of which anything was altered does not open: nothing of it is shown.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// Why a file was not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoveDocumentError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The customer has no file with this id.
    #[error("the customer has no file with this id")]
    NotFound,
    /// The customer is under a legal hold, which nothing overrides.
    #[error("the customer is under a legal hold")]
    LegalHold,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// The files of a customer, oldest first, without their content.
    ///
    /// # Errors
    /// [`DocumentsError`].
    pub async fn documents(
        &self,
        actor: &Actor,
        id: &CustomerId,
    ) -> Result<Vec<DocumentView>, DocumentsError> {
        actor.require(Permission::ReadCustomers)?;
        let standing = self.found::<_, DocumentsError>(id, self.ports.store.standing(id).await).await?;
        let documents = self.documents_of(&standing.row).await?;
        let digests = self.digests(actor, &standing.row, &documents).await?;
        let view = |(document, digest): (DocumentRow, FileDigest)| DocumentView {
            customer_id: id.clone(),
            file: document.file,
            digest,
        };
        Ok(documents.into_iter().zip(digests).map(view).collect())
    }

    /// The content of a file, to be read chunk by chunk. It was read to its end and compared with its digest before,
    /// so that of a file that was altered nothing is shown; and that it is shown is audited before.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn document_content(
        &self,
        actor: &Actor,
        id: &CustomerId,
        document: DocumentId,
    ) -> Result<DocumentReader, DocumentError> {
        actor.require(Permission::ReadDocuments)?;
        let standing = self.found::<_, DocumentError>(id, self.ports.store.standing(id).await).await?;
        let row = standing.row;
        let documents = self.documents_of(&row).await?;
        let found =
            documents.into_iter().find(|one| one.file.id == document).ok_or(DocumentError::NotFound)?;
        let digests = self.digests(actor, &row, std::slice::from_ref(&found)).await?;
        let subject = row.subject;
        let reader = DocumentReader::new(self.clone(), actor.clone(), row, found.file);
        for digest in &digests {
            reader.verify(digest).await?;
        }
        let event = AuditEvent::new(actor, Action::DocumentRead, self.now()).on(subject);
        self.witness(event.on_document(reader.file())).await?;
        Ok(reader)
    }

    /// Removes a file, also where a provider has it.
    ///
    /// # Errors
    /// [`RemoveDocumentError`], in this order: who may not, who isn't there, no such file, a legal hold.
    pub async fn remove_document(
        &self,
        actor: &Actor,
        id: &CustomerId,
        document: DocumentId,
    ) -> Result<(), RemoveDocumentError> {
        actor.require(Permission::WriteCustomers)?;
        for _ in 0..ROUNDS {
            let record =
                self.found::<_, RemoveDocumentError>(id, self.ports.store.customer(id).await).await?;
            let (gone, stay): (Vec<_>, Vec<_>) =
                self.documents_of(&record.row).await?.into_iter().partition(|one| one.file.id == document);
            let [gone] = gone.as_slice() else { return Err(RemoveDocumentError::NotFound) };
            if record.row.legal_hold.is_some() {
                return Err(RemoveDocumentError::LegalHold);
            }
            match self.commit_removal(actor, &record, &gone.file, &stay).await {
                Ok(()) => return Ok(()),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    async fn commit_removal(
        &self,
        actor: &Actor,
        record: &CustomerRecord,
        gone: &DocumentFile,
        stay: &[DocumentRow],
    ) -> Result<(), Refused> {
        let now = self.now();
        let subject = record.row.subject;
        let customer = self.opened_latest(actor, record).await.map_err(Refused::Failed)?;
        let fingerprints =
            self.fingerprints(actor, &record.row, &customer, stay).await.map_err(Refused::Failed)?;
        let mut change = Change::of(&record.row, &record.latest, now);
        change.write(Write::RemoveDocument { subject, document: gone.id });
        change.write(Write::ReplaceFingerprints { subject, fingerprints });
        change.witness(AuditEvent::new(actor, Action::DocumentRemoved, now).on_document(gone));
        change.commit(self).await.map(drop)
    }

    /// Takes away the chunks of files that were begun an hour ago or more and never came to be, of at most `limit`
    /// files at a time. For a job. Returns how many times it took some away.
    ///
    /// # Errors
    /// [`PortFailure`] where a port failed.
    pub async fn forget_uploads(&self, limit: u32) -> Result<u32, PortFailure> {
        let mut rounds = 0;
        loop {
            let now = self.now();
            let begun_by = now.saturating_sub(Self::UPLOADS_KEPT_FOR).unwrap_or(now);
            match self.ports.store.oldest_upload().await? {
                Some(oldest) if oldest <= begun_by => {
                    self.commit_alone(now, vec![Write::ForgetUploads { begun_by, limit }], Vec::new())
                        .await?;
                    rounds += 1;
                }
                Some(_) | None => return Ok(rounds),
            }
        }
    }

    /// The files of a customer, sealed.
    pub(super) async fn documents_of(&self, row: &CustomerRow) -> Result<Vec<DocumentRow>, PortFailure> {
        Ok(self.ports.store.documents(row.subject).await?)
    }

    /// The digests of files.
    async fn digests(
        &self,
        actor: &Actor,
        row: &CustomerRow,
        documents: &[DocumentRow],
    ) -> Result<Vec<FileDigest>, PortFailure> {
        match open_digests(&*self.ports.cipher, row, documents) {
            Ok(digests) => Ok(digests),
            Err(error) => Err(self.alarm(actor, row.subject, error).await),
        }
    }

    /// All fingerprints of a customer with this data and these files.
    pub(super) async fn fingerprints(
        &self,
        actor: &Actor,
        row: &CustomerRow,
        customer: &Customer,
        documents: &[DocumentRow],
    ) -> Result<Vec<Fingerprint>, PortFailure> {
        let digests = self.digests(actor, row, documents).await?;
        Ok(fingerprints(&*self.ports.cipher, customer, &digests))
    }

    async fn opened_latest(&self, actor: &Actor, record: &CustomerRecord) -> Result<Customer, PortFailure> {
        match self.open_latest(record) {
            Ok(customer) => Ok(customer),
            Err(error) => Err(self.alarm(actor, record.row.subject, error).await),
        }
    }
}
