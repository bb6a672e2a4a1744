//! What can be asked of the service: one handle, [`Kyc`], with a method a use case.
//!
//! Each use case reads what it needs, decides with the pure functions of [`domain`](crate::domain), and
//! hands the store one changeset. A commit that meets a newer revision is decided again from what is
//! there now.

mod absence;
mod api_keys;
mod audit;
mod callback;
pub mod chain;
mod change;
mod customer;
mod documents;
mod duplicates;
mod erase;
mod export;
mod forget;
mod hold;
mod ledger;
mod links;
mod list;
mod once;
mod providers;
mod record;
mod register;
mod relationship;
mod renew;
mod report;
mod request;
mod retention;
mod rewrap;
mod rotation;
mod run;
mod sealing;
mod search;
mod status;
mod update;
mod verifications;

#[cfg(test)]
#[cfg(feature = "fakes")]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

pub use self::absence::Absence;
pub use self::api_keys::{ApiKeyError, AuthenticateError, CreateApiKey, CreatedApiKey};
pub use self::audit::{AuditError, AuditPage, AuditQuery, AuditView};
pub use self::callback::{CallbackRefused, Received};
pub use self::customer::{CustomerError, CustomerView, Reveal};
pub use self::documents::{
    AddDocument, AddDocumentError, DocumentError, DocumentReader, DocumentView, DocumentsError,
    RemoveDocumentError,
};
pub use self::erase::{Erase, EraseError};
pub use self::export::{Export, ExportError, ExportedVerification, ExportedVersion};
pub use self::forget::AskedToForget;
pub use self::hold::{HoldError, LegalHold, SetLegalHold};
use self::ledger::Ledger;
pub use self::ledger::{ReplayError, Replayed};
pub use self::links::{Link, LinksError, Shared};
pub use self::list::{ListError, Page};
pub use self::once::{Answer, Asked, RecallError, Render, Rendered};
pub use self::providers::{Availability, ProviderView, Providers};
pub use self::record::RecordError;
pub use self::register::{Register, RegisterError};
pub use self::relationship::{EndRelationship, Relationship, RelationshipError};
pub use self::report::ReportError;
pub use self::request::RequestError;
pub use self::retention::{Due, RetentionError};
pub use self::rewrap::{RewrapError, Rewrapped};
pub use self::rotation::{RETIREMENT_DELAY, RetireError, RotateError};
pub use self::run::{LEASE, Ran};
pub use self::search::{Search, SearchError};
pub use self::status::{KycStatus, StatusError};
pub use self::update::{Because, Reverification, Update, UpdateError, Updated};
pub use self::verifications::VerificationsError;
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{ChangesetId, SubjectId};
use crate::domain::policy::Policy;
use crate::ports::cipher::{CipherError, Digests};
use crate::ports::entropy::NoEntropy;
use crate::ports::store::{
    Changeset, CommitError, Conflict, Guard, IdempotencyRecord, Queue, StoreError, Write,
};
use crate::ports::{Cipher, Clock, Entropy, Store};

/// How often a use case decides again when others change the same customer at the same time.
const ROUNDS: usize = 8;

/// The ports that a [`Kyc`] works through.
#[derive(Clone)]
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Who checks a person, in order of preference.
    pub providers: Providers,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What seals personal data.
    pub cipher: Arc<dyn Cipher>,
    /// Where ids and jitter come from.
    pub entropy: Arc<dyn Entropy>,
}

/// The service: one handle over the ports, with a method a use case. Cheap to clone, and safe to share.
#[derive(Clone)]
pub struct Kyc {
    ports: Ports,
    policy: Arc<Policy>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
    /// The request that is carried out, where it was made under an idempotency key.
    once: Option<Arc<once::Once>>,
    /// The callback that is carried out, as it is known again.
    callback: Option<Arc<Digests>>,
    ledger: Option<Ledger>,
}

impl Kyc {
    /// A service over these ports, by this policy.
    #[must_use]
    pub fn new(ports: Ports, policy: Policy) -> Self {
        Self { ports, policy: Arc::new(policy), wake: None, once: None, callback: None, ledger: None }
    }

    /// Has `wake` called after each commit that queued a verification, so that a worker need not wait for
    /// its next look at the queue. It must return at once.
    #[must_use]
    pub fn on_queued(mut self, wake: impl Fn() + Send + Sync + 'static) -> Self {
        self.wake = Some(Arc::new(wake));
        self
    }

    /// The policy by which this service decides.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether reads and writes would work now.
    ///
    /// # Errors
    /// [`StoreError`] says why not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.ports.store.ready().await
    }

    /// When the next verification falls due; none where none waits.
    ///
    /// # Errors
    /// [`StoreError`] where the store can't be read.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ports.store.next_due(Queue::Verifications).await
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.ports.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn new_subject(&self, now: Timestamp) -> Result<SubjectId, NoEntropy> {
        Ok(SubjectId::new(now, self.random()?))
    }

    async fn commit(
        &self,
        now: Timestamp,
        guards: Vec<Guard>,
        writes: Vec<Write>,
        audit: Vec<AuditEvent>,
    ) -> Result<(), Refused> {
        self.commit_recorded(now, guards, writes, audit, None).await
    }

    /// The same, with the record of the request.
    async fn commit_recorded(
        &self,
        now: Timestamp,
        guards: Vec<Guard>,
        writes: Vec<Write>,
        audit: Vec<AuditEvent>,
        idempotency: Option<IdempotencyRecord>,
    ) -> Result<(), Refused> {
        let id = ChangesetId::new(now, self.random()?);
        Ok(self.ports.store.commit(Changeset { id, guards, writes, audit, idempotency }).await?)
    }

    /// Commits an event on its own: that something was shown.
    async fn witness(&self, event: AuditEvent) -> Result<(), PortFailure> {
        self.commit_alone(event.at, Vec::new(), vec![event]).await
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}

impl fmt::Debug for Kyc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kyc").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The day of a time, UTC.
fn day(at: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

/// A port failed, so the use case did not happen. None of these holds personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PortFailure {
    /// The store can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cipher can't.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// Others kept changing the same customer. Try again.
    #[error("the customer was changed by others at the same time, again and again")]
    Contended,
    /// The same request is carried out at this moment, under the same idempotency key. Ask again for its answer.
    #[error("the same request is in flight under the same idempotency key")]
    InFlight,
}

/// Why a changeset was not applied, on the way to a use case's own error.
#[derive(Debug, Clone, Copy)]
enum Refused {
    Conflict(Conflict),
    Failed(PortFailure),
}

impl From<CommitError> for Refused {
    fn from(error: CommitError) -> Self {
        match error {
            // No other decision would help.
            CommitError::Conflict(Conflict::IdempotencyKeyTaken) => Self::Failed(PortFailure::InFlight),
            CommitError::Conflict(conflict) => Self::Conflict(conflict),
            CommitError::Store(error) => Self::Failed(error.into()),
        }
    }
}

impl From<NoEntropy> for Refused {
    fn from(error: NoEntropy) -> Self {
        Self::Failed(error.into())
    }
}
