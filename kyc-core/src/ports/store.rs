//! The store: small read traits by subject, and two writes.
//!
//! To write a store of your own: implement the nine read traits and [`Store`], and run
//! `kyc_core::contract::store` against it. Nothing that reaches a store is plaintext personal data: the
//! types of [`Changeset`] can't hold any.

mod changeset;
mod documents;
mod erasure;
mod forgetting;
mod idempotency;
mod queue;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

pub use self::changeset::{Changeset, Guard, Write};
pub use self::documents::{DocumentReads, DocumentRow, Upload};
pub use self::erasure::{EndedRelationship, ErasureReads, VersionRow};
pub use self::forgetting::{Forgetting, ForgettingReads};
pub use self::idempotency::{IdempotencyRecord, Recorded, RecordedAnswer};
pub use self::queue::{Claim, Claimed, Lease, Queue};
use super::cipher::{DataKey, Fingerprint, Sealed};
use crate::domain::api_key::ApiKey;
use crate::domain::audit::{Action, AuditEvent, ChainedEvent};
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::{CustomerId, SubjectId, VerificationId};
use crate::domain::key_use::KeyUse;
use crate::domain::report::{DayCount, Range};
use crate::domain::status::{Stage, Status, StatusKind};
use crate::domain::verification::Verification;

/// A customer as a store keeps it; the data itself lies sealed beside it, a row a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// Our own id.
    pub subject: SubjectId,
    /// The caller's id.
    pub customer_id: CustomerId,
    /// Where the customer stands.
    pub status: Status,
    /// Counts the changes of the data, from 1.
    pub version: u32,
    /// Counts the writes, from 1: the lock of everything that belongs to the customer. Never shown.
    pub revision: u64,
    /// The data key, wrapped, and how often it was used.
    pub key: DataKey,
    /// The latest verification.
    pub latest: VerificationId,
    /// When the customer was registered.
    pub registered_at: Timestamp,
    /// When anything last changed.
    pub updated_at: Timestamp,
    /// When the present status was decided; none while pending.
    pub decided_at: Option<Timestamp>,
    /// When the relationship ended, where it has.
    pub relationship_ended_on: Option<Date>,
    /// Why the customer must not be erased, sealed; none where nothing speaks against it.
    pub legal_hold: Option<Sealed>,
}

impl CustomerRow {
    /// The day of registration, UTC: the day under which the customer is counted.
    #[must_use]
    pub fn registered_on(&self) -> Date {
        jiff::tz::Offset::UTC.to_datetime(self.registered_at).date()
    }
}

/// A customer, the sealed data of its version, and its latest verification, read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRecord {
    /// The customer.
    pub row: CustomerRow,
    /// The data of [`CustomerRow::version`].
    pub data: Sealed,
    /// The verification that [`CustomerRow::latest`] names.
    pub latest: Verification,
}

/// A customer and the latest verification, without the data: what a status needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The customer.
    pub row: CustomerRow,
    /// The verification that [`CustomerRow::latest`] names.
    pub latest: Verification,
}

/// A verification, and the customer whom it is of, read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRecord {
    /// The verification.
    pub verification: Verification,
    /// The customer.
    pub row: CustomerRow,
    /// The data of the verification's version.
    pub data: Sealed,
}

/// Somebody who has a fingerprint that another has, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// What kind of value the two share.
    pub kind: FingerprintKind,
    /// Who has it, too.
    pub subject: SubjectId,
    /// The caller's id.
    pub customer_id: CustomerId,
    /// Where that customer stands.
    pub status: Status,
}

/// Which audit events to look for; each part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Events on this person.
    pub subject: Option<SubjectId>,
    /// Events of this actor, written as the event has it, or without what stands behind its `#`.
    pub actor: Option<String>,
    /// Events of this kind.
    pub action: Option<Action>,
    /// Events at or after this time.
    pub since: Option<Timestamp>,
    /// Events before this time.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// Whether an event passes.
    #[must_use]
    pub fn passes(&self, event: &AuditEvent) -> bool {
        let is_actor = |wanted: &String| {
            event.actor == *wanted || event.actor.split_once('#').is_some_and(|(actor, _)| actor == wanted)
        };
        self.subject.is_none_or(|wanted| event.subject == Some(wanted))
            && self.actor.as_ref().is_none_or(is_actor)
            && self.action.is_none_or(|wanted| event.action == wanted)
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The last one of the page before; none for the first page.
    pub after: Option<SubjectId>,
    /// The most to return.
    pub limit: u32,
}

/// Which customers to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Only those with this status.
    pub status: Option<StatusKind>,
    /// Only those with this stage.
    pub stage: Option<Stage>,
}

impl CustomerFilter {
    /// Whether a customer passes.
    #[must_use]
    pub fn passes(&self, status: Status) -> bool {
        self.status.is_none_or(|wanted| status.kind() == wanted)
            && self.stage.is_none_or(|wanted| status.stage() == Some(wanted))
    }
}

/// Reads of customers.
#[async_trait]
pub trait CustomerReads: Send + Sync {
    /// The customer with this id. It MUST see every commit that was answered before the call, and MUST NOT
    /// mix two commits.
    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerRecord>, StoreError>;

    /// The same without the data.
    async fn standing(&self, id: &CustomerId) -> Result<Option<Standing>, StoreError>;

    /// A page of customers, newest registration first: by [`SubjectId`], descending. It MUST NOT cost more
    /// than the page, whatever the filter.
    async fn customers(
        &self,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Vec<CustomerRecord>, StoreError>;

    /// The customers who have one of these fingerprints, each once, newest first, at most `limit`. It MUST NOT mix
    /// two commits, and MUST find each fingerprint by an index: there may be some hundred.
    async fn customers_by_fingerprints(
        &self,
        fingerprints: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<CustomerRecord>, StoreError>;

    /// For each of these fingerprints the customers other than `except` who have it, newest first, at most `limit`
    /// for each. It MUST NOT mix two commits, MUST see every commit that was answered before the call, and MUST NOT
    /// cost more than it returns, however many have a fingerprint.
    async fn sharing(
        &self,
        fingerprints: &[Fingerprint],
        except: SubjectId,
        limit: u32,
    ) -> Result<Vec<Sharing>, StoreError>;

    /// Verified customers whose decision has run out at `now`, at most `limit`, earliest first.
    async fn expired_customers(&self, now: Timestamp, limit: u32) -> Result<Vec<CustomerId>, StoreError>;
}

/// Reads of verifications.
#[async_trait]
pub trait VerificationReads: Send + Sync {
    /// The verification with this id.
    async fn verification(&self, id: VerificationId) -> Result<Option<VerificationRecord>, StoreError>;

    /// The open verification that has this [`reference`](Verification::reference), by an index; one of them where
    /// there are several. Of those that have ended there is none.
    async fn verification_by_reference(
        &self,
        reference: [u8; 32],
    ) -> Result<Option<VerificationRecord>, StoreError>;

    /// All verifications of a customer, newest first: by [`VerificationId`], descending.
    async fn verifications(&self, subject: SubjectId) -> Result<Vec<Verification>, StoreError>;

    /// The provider's answer to a verification, as received and sealed.
    async fn answer(&self, id: VerificationId) -> Result<Option<Sealed>, StoreError>;

    /// When the earliest verification of a queue falls due; leases are left out of account.
    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError>;
}

/// Reads of counters.
#[async_trait]
pub trait ReportReads: Send + Sync {
    /// Every counter of the days of a range. It MUST cost the days and not the customers.
    async fn counts(&self, range: Range) -> Result<Vec<DayCount>, StoreError>;
}

/// Reads of the audit chain.
#[async_trait]
pub trait AuditReads: Send + Sync {
    /// The events after the one at `sequence`, in order, at most `limit`.
    async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError>;

    /// The events before the one at `before` (none: from the last one on), newest first, at most `limit`. With
    /// a subject only that person's, by an index.
    async fn audit_events_before(
        &self,
        subject: Option<SubjectId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreError>;

    /// The caller's ids of these people, in any order; of one who was erased there is none.
    async fn customer_ids(&self, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, CustomerId)>, StoreError>;
}

/// Reads of API keys.
#[async_trait]
pub trait ApiKeyReads: Send + Sync {
    /// The key with this digest, also one that has ended. It MUST be found by an index, and MUST see every
    /// commit that was answered before the call: a key that was revoked is dead at the next request.
    async fn api_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<ApiKey>, StoreError>;

    /// All keys, newest first: by [`ApiKeyId`](crate::domain::ids::ApiKeyId), descending.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
}

/// Reads of what was done under idempotency keys.
#[async_trait]
pub trait IdempotencyReads: Send + Sync {
    /// The record that has this digest among its keys, also one that has expired. It MUST be found by an index,
    /// and MUST see every commit that was answered before the call.
    async fn recorded(&self, key: [u8; 32]) -> Result<Option<Recorded>, StoreError>;

    /// When the earliest record expires.
    async fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError>;
}

/// How many customers need a version of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCount {
    /// The version.
    pub version: u32,
    /// How many customers have their data key, or a fingerprint, under it.
    pub customers: u64,
}

/// Reads of what is under which version of a key, for rotations.
#[async_trait]
pub trait KeyReads: Send + Sync {
    /// How many customers have something under each version that is in use at all, by version, ascending; of the
    /// master key each [`Forgetting`] counts as well. It
    /// may look at every customer, and so is for no request: it is asked at start, and by the operator.
    async fn key_counts(&self, of: KeyUse) -> Result<Vec<KeyCount>, StoreError>;

    /// Which of these customers have a fingerprint under another version than `current`, in any order.
    async fn fingerprinted_otherwise(
        &self,
        subjects: &[SubjectId],
        current: u32,
    ) -> Result<Vec<SubjectId>, StoreError>;

    /// How many erased customers are known again by each version of the fingerprint key that any is, by
    /// version, ascending. Off the path of any request, as [`KeyReads::key_counts`].
    async fn erased_key_counts(&self) -> Result<Vec<KeyCount>, StoreError>;
}

/// A store.
#[async_trait]
pub trait Store:
    CustomerReads
    + VerificationReads
    + ReportReads
    + AuditReads
    + ApiKeyReads
    + IdempotencyReads
    + ErasureReads
    + ForgettingReads
    + KeyReads
    + DocumentReads
{
    /// Makes everything in the changeset true together, or nothing of it.
    ///
    /// * An idempotency key that is taken MUST be [`Conflict::IdempotencyKeyTaken`], whatever else conflicts; one
    ///   is taken while there is a record that has not expired when the new one is recorded. What has expired
    ///   MUST give way.
    /// * A guard that does not hold, and a customer id that is taken, MUST be a [`Conflict`]; uniqueness MUST
    ///   be the store's own, not an earlier read.
    /// * The writes MUST be applied in order, each seeing those before it.
    /// * Each audit event MUST be given the next sequence and the hash that
    ///   [`AuditHash::next`](crate::domain::audit::AuditHash::next) makes of it, in the same commit.
    /// * It MUST return only when the changeset would survive the loss of the process and of power (I1).
    async fn commit(&self, changeset: Changeset) -> Result<(), CommitError>;

    /// Keeps chunks of a file until [`Write::AttachDocument`] names the file, or [`Write::ForgetUploads`] takes them
    /// away. It MUST return only when they would survive the loss of the process and of power. A chunk that was staged
    /// before is replaced, and one of a file that was named MUST NOT be: that is [`StoreError::Corrupt`].
    /// [`Conflict::Revision`] where the customer isn't there.
    async fn stage(&self, upload: Upload) -> Result<(), CommitError>;

    /// Takes verifications that are due and under no lease, earliest first, and leases them: each gets a
    /// fencing token higher than any before it. Two callers MUST NOT be given the same one before its lease
    /// has run out. Each is given as it was, and MUST be [`attempted`](Verification::attempted) from then on.
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;

    /// Whether reads and writes would work now.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Why a changeset was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Something else is there than what was read.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The store can't.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another customer has the id.
    #[error("the customer id is taken")]
    CustomerIdTaken,
    /// Something was recorded under the idempotency key.
    #[error("the idempotency key is taken")]
    IdempotencyKeyTaken,
    /// The customer has changed since it was read. Read again, and decide again.
    #[error("the customer has changed since it was read")]
    Revision,
    /// The customer who had the id was erased.
    #[error("the customer who had the id was erased")]
    Erased,
    /// A worker has the verification, and another one than was expected.
    #[error("the lease was lost to another worker")]
    LeaseLost,
}

/// Why the store can't serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More waits than the store takes. Nothing was written; try again in a second.
    #[error("the store has more to do than it can queue")]
    Overloaded,
    /// It can't read or write now: the disk is full or failing, or it shuts down. Nothing was written.
    #[error("the store is unavailable")]
    Unavailable,
    /// What it keeps can't be read.
    #[error("the store holds a row that can't be read")]
    Corrupt,
}
