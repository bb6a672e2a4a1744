//! Export a person: "what do you hold on me?" (GDPR, articles 15 and 20).

use jiff::Timestamp;
use jiff::civil::Date;

use super::absence::Absence;
use super::customer::CustomerView;
use super::sealing::{Place, open, open_customer, open_digests};
use super::{AuditView, DocumentView, Kyc, PortFailure, ROUNDS, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission, Sight};
use crate::domain::retention::Beginnings;
use crate::domain::shown::ShownCustomer;
use crate::domain::verification::Verification;
use crate::ports::cipher::Sealed;
use crate::ports::store::{CustomerRecord, CustomerRow, Guard};

/// How many audit events are read at once.
const PAGE: u32 = 500;

/// Everything that is held on a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// When it was put together.
    pub exported_at: Timestamp,
    /// The customer now.
    pub customer: CustomerView,
    /// Every version of the data, oldest first.
    pub versions: Vec<ExportedVersion>,
    /// Every verification, newest first.
    pub verifications: Vec<ExportedVerification>,
    /// Every file, oldest first. The content is read by itself.
    pub documents: Vec<DocumentView>,
    /// When the relationship ended, where it has.
    pub relationship_ended_on: Option<Date>,
    /// From which day on the person may be erased without overriding the retention.
    pub erasable_from: Date,
    /// Why the person must not be erased, where something speaks against it.
    pub legal_hold: Option<Secret<String>>,
    /// What was done about the person and who saw the data, newest first. The export itself is not among them.
    pub events: Vec<AuditView>,
}

/// One version of a person's data.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedVersion {
    /// Which one, from 1.
    pub version: u32,
    /// When it was stored.
    pub at: Timestamp,
    /// The data.
    pub shown: ShownCustomer,
}

/// One verification with everything that it left.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportedVerification {
    /// The verification.
    pub verification: Verification,
    /// What names the attempt at the provider.
    pub progress: Option<Secret<String>>,
    /// The page that the person has to visit, while the provider asks for it.
    pub link: Option<Secret<String>>,
    /// The provider's answer as it came; bytes that are no UTF-8 are marked.
    pub answer: Option<Secret<String>>,
}

/// Why a person was not exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
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

impl Kyc {
    /// Everything that is held on a person, as of one moment. It is audited before it is answered. What of it
    /// the person may be told is for the operator to judge: nobody may be told of a screening (FATF
    /// recommendation 21).
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn export(&self, actor: &Actor, id: &CustomerId) -> Result<Export, ExportError> {
        actor.require(Permission::ExportCustomers)?;
        for _ in 0..ROUNDS {
            let record = self.found::<_, ExportError>(id, self.ports.store.customer(id).await).await?;
            let row = record.row.clone();
            let export = match self.collect(record).await {
                Ok(export) => export,
                Err(PortFailure::Cipher(error)) => {
                    return Err(self.alarm(actor, row.subject, error).await.into());
                }
                Err(failure) => return Err(failure.into()),
            };
            let event = AuditEvent::new(actor, Action::CustomerExported, export.exported_at).on(row.subject);
            // Several reads were one moment where the customer is still at the same revision.
            let guard = Guard::Revision { subject: row.subject, revision: row.revision };
            match self.commit(export.exported_at, vec![guard], Vec::new(), vec![event]).await {
                Ok(()) => return Ok(export),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    async fn collect(&self, record: CustomerRecord) -> Result<Export, PortFailure> {
        let now = self.now();
        let store = &self.ports.store;
        let customer = CustomerView::of(&record.row, &self.open_latest(&record)?, Sight::Full, now);
        let row = record.row;
        let mut versions = Vec::new();
        for kept in store.versions(row.subject).await? {
            let data = open_customer(&*self.ports.cipher, &row, kept.version, &kept.data)?;
            let shown = ShownCustomer::of(&data, Sight::Full);
            versions.push(ExportedVersion { version: kept.version, at: kept.at, shown });
        }
        let all = store.verifications(row.subject).await?;
        let erasable_from = Beginnings::of(&row, &all).erasable_from(self.policy.retention_years);
        let mut verifications = Vec::new();
        for verification in all {
            let answer = store.answer(verification.id).await?;
            verifications.push(self.opened(&row, verification, answer.as_ref())?);
        }
        let rows = store.documents(row.subject).await?;
        let digests = open_digests(&*self.ports.cipher, &row, &rows)?;
        let documents = rows.into_iter().zip(digests);
        let documents = documents
            .map(|(document, digest)| DocumentView {
                customer_id: row.customer_id.clone(),
                file: document.file,
                digest,
            })
            .collect();
        let legal_hold = self.text(&row, Place::LegalHold, row.legal_hold.as_ref())?;
        let mut events = Vec::new();
        let mut before = None;
        loop {
            let page = store.audit_events_before(Some(row.subject), before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.sequence);
            let view = |chained| AuditView { chained, customer_id: Some(row.customer_id.clone()) };
            events.extend(page.into_iter().map(view));
        }
        Ok(Export {
            exported_at: now,
            customer,
            versions,
            verifications,
            documents,
            relationship_ended_on: row.relationship_ended_on,
            erasable_from,
            legal_hold,
            events,
        })
    }

    fn opened(
        &self,
        row: &CustomerRow,
        verification: Verification,
        answer: Option<&Sealed>,
    ) -> Result<ExportedVerification, PortFailure> {
        let id = verification.id;
        Ok(ExportedVerification {
            progress: self.text(row, Place::Progress(id), verification.progress.as_ref())?,
            link: self.text(row, Place::Link(id), verification.link.as_ref())?,
            answer: self.text(row, Place::Answer(id), answer)?,
            verification,
        })
    }

    fn text(
        &self,
        row: &CustomerRow,
        place: Place,
        sealed: Option<&Sealed>,
    ) -> Result<Option<Secret<String>>, PortFailure> {
        let Some(sealed) = sealed else { return Ok(None) };
        let bytes = open(&*self.ports.cipher, row, place, sealed)?;
        Ok(Some(Secret::new(String::from_utf8_lossy(bytes.expose()).into_owned())))
    }
}
