//! Add a file: "here is what was asked for."

use jiff::{SignedDuration, Timestamp};

use super::super::absence::Absence;
use super::super::change::Change;
use super::super::sealing::{Place, fingerprints, seal, seal_bytes};
use super::super::{Answer, Kyc, PortFailure, ROUNDS, Refused};
use super::DocumentView;
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::Customer;
use crate::domain::document_file::{CheckedFile, DocumentFile, Side};
use crate::domain::ids::{CustomerId, DocumentId, VerificationId};
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::{Event, Stage, Status};
use crate::domain::verification::Cause;
use crate::ports::cipher::{CipherError, DataKey};
use crate::ports::store::{CustomerRecord, CustomerRow, DocumentRow, Upload, Write};

/// The purpose of a consent without which no picture of a face is taken: a face that is compared is biometric data
/// (GDPR, article 9(1) and (2)(a)).
pub(super) const BIOMETRIC: &str = "biometric";
/// How many chunks are sealed and staged at once: 1 MiB, so that a file takes ten syncs and no more memory.
const STAGED_AT_ONCE: usize = 16;
/// The messages of the data key that a file takes besides its chunks: its digest, and the recorded answer.
const BESIDES: u32 = 2;

/// A file to add.
#[derive(Debug, Clone)]
pub struct AddDocument {
    /// What it shows.
    pub side: Side,
    /// The file.
    pub file: CheckedFile,
}

/// Why a file was not added. Nothing was stored of it that is ever read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddDocumentError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// It shows the person's face, and the customer has not consented to that: purpose `biometric`.
    #[error("a picture of the face needs the customer's consent of purpose biometric")]
    ConsentRequired,
    /// The customer has as many files as the policy allows.
    #[error("the customer has as many files as the policy allows")]
    LimitReached,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// How long chunks are kept that no file has come of.
    pub const UPLOADS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

    /// Stores a file. Where the customer was asked for something and the latest verification has ended, it starts the
    /// next one, at the time that the daily limit allows; in every other state it starts none.
    ///
    /// # Errors
    /// [`AddDocumentError`], in this order: who may not, who isn't there, the consent, the limit.
    pub async fn add_document(
        &self,
        actor: &Actor,
        id: &CustomerId,
        request: AddDocument,
    ) -> Result<DocumentView, AddDocumentError> {
        actor.require(Permission::WriteCustomers)?;
        let begun = self.now();
        let AddDocument { side, file: content } = request;
        let file = DocumentFile {
            id: DocumentId::new(begun, self.random().map_err(PortFailure::from)?),
            side,
            media_type: content.media_type(),
            size: content.size(),
            created_at: begun,
        };
        let view = DocumentView { customer_id: id.clone(), file, digest: content.digest().clone() };
        let mut is_staged = false;
        for _ in 0..ROUNDS {
            let record = self.found::<_, AddDocumentError>(id, self.ports.store.customer(id).await).await?;
            let customer = self.opened_latest(actor, &record).await?;
            let documents = self.documents_of(&record.row).await?;
            // Looked at before anything is sealed, so that what is refused costs no messages of the key.
            if side == Side::Selfie && !customer.has_consented(BIOMETRIC) {
                return Err(AddDocumentError::ConsentRequired);
            }
            if documents.len() as u64 >= u64::from(self.policy.documents_per_customer) {
                return Err(AddDocumentError::LimitReached);
            }
            if !is_staged {
                match self.stage(&record.row, &view.file, &content).await {
                    Ok(()) => is_staged = true,
                    // The customer was erased meanwhile, which the next round sees.
                    Err(Refused::Conflict(_)) => continue,
                    Err(Refused::Failed(failure)) => return Err(failure.into()),
                }
            }
            match self.attach(actor, &record, &customer, &documents, &view).await {
                Ok(()) => return Ok(view),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    /// Seals the file and hands the store some chunks at a time. Sealed under the same data key they stay readable
    /// whatever else changes of the customer meanwhile, so this is done once.
    ///
    /// The messages are counted with the changeset that names the file. Those of a file that never comes to be are
    /// not, which the limit has room for: it is a four-thousandth of what one key may seal.
    async fn stage(
        &self,
        row: &CustomerRow,
        file: &DocumentFile,
        content: &CheckedFile,
    ) -> Result<(), Refused> {
        let mut counted = with_messages(row, file.chunks().saturating_add(BESIDES))?;
        counted.key.messages = row.key.messages;
        let last = file.chunks().saturating_sub(1);
        let mut chunks = content.expose().chunks(DocumentFile::CHUNK_BYTES);
        let mut first = 0;
        loop {
            let mut sealed = Vec::with_capacity(STAGED_AT_ONCE);
            for (index, chunk) in (first..).zip(chunks.by_ref().take(STAGED_AT_ONCE)) {
                let place = Place::Chunk { document: file.id, index, is_last: index == last };
                let chunk = seal_bytes(&*self.ports.cipher, &mut counted, place, chunk);
                sealed.push(chunk.map_err(|error| Refused::Failed(error.into()))?);
            }
            if sealed.is_empty() {
                return Ok(());
            }
            let next = first + u32::try_from(sealed.len()).unwrap_or(u32::MAX);
            let (subject, document, at) = (row.subject, file.id, file.created_at);
            self.ports.store.stage(Upload { subject, document, at, first, chunks: sealed }).await?;
            first = next;
        }
    }

    /// Commits what makes a file of the chunks, with all that follows from it.
    async fn attach(
        &self,
        actor: &Actor,
        record: &CustomerRecord,
        customer: &Customer,
        documents: &[DocumentRow],
        view: &DocumentView,
    ) -> Result<(), Refused> {
        let now = self.now();
        let DocumentView { file, digest, .. } = view;
        let cipher = &*self.ports.cipher;
        let mut change = Change::of(&record.row, &record.latest, now);
        let subject = change.row.subject;
        change.row.key = with_messages(&change.row, file.chunks())?.key;
        let bytes = Secret::new(digest.expose().to_vec());
        let sealed = seal(cipher, &mut change.row, Place::digest_of(file), &bytes)
            .map_err(|error| Refused::Failed(error.into()))?;
        change.write(Write::AttachDocument(DocumentRow { subject, file: file.clone(), digest: sealed }));
        let mut digests = self.digests(actor, &record.row, documents).await.map_err(Refused::Failed)?;
        digests.push(digest.clone());
        let fingerprints = fingerprints(cipher, customer, &digests);
        change.write(Write::ReplaceFingerprints { subject, fingerprints });

        let mut event = AuditEvent::new(actor, Action::DocumentAdded, now).on_document(file);
        let queued = self.queue_for_document(record, &mut change, now).await?;
        if let Some((verification, before)) = queued {
            event = event
                .of(verification, &change.verification.provider)
                .because([Cause::Document.as_str()])
                .moving(Some(before), change.row.status);
        }
        change.witness(event);
        change.answer(self, Answer::DocumentAdded(view), Vec::new)?;
        change.commit(self).await?;
        if queued.is_some() {
            self.wake();
        }
        Ok(())
    }

    /// Queues the next verification where the customer was asked for something and nothing is under way; its id and
    /// the status before.
    async fn queue_for_document(
        &self,
        record: &CustomerRecord,
        change: &mut Change<'_>,
        now: Timestamp,
    ) -> Result<Option<(VerificationId, Status)>, Refused> {
        let before = record.row.status;
        if before != Status::Pending(Stage::AwaitingCustomer) || record.latest.state.is_open() {
            return Ok(None);
        }
        let Ok(status) = before.after(Event::Queued) else { return Ok(None) };
        let next =
            self.next_verification(&change.row, Cause::Document, now).await.map_err(Refused::Failed)?;
        let id = next.id;
        change.row.status = status;
        change.queue(next);
        Ok(Some((id, before)))
    }
}

/// The row with more messages of its data key used.
fn with_messages(row: &CustomerRow, more: u32) -> Result<CustomerRow, Refused> {
    let messages = row.key.messages.checked_add(more).filter(|messages| *messages <= DataKey::MAX_MESSAGES);
    let messages = messages.ok_or(Refused::Failed(CipherError::Exhausted.into()))?;
    Ok(CustomerRow { key: DataKey { messages, ..row.key.clone() }, ..row.clone() })
}
