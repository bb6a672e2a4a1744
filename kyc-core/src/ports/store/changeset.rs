//! The one write: a changeset, its guards and its writes.

use jiff::Timestamp;
use jiff::civil::Date;

#[cfg(doc)]
use super::Conflict;
use super::{CustomerRow, DocumentRow, Forgetting, IdempotencyRecord, Lease};
use crate::domain::api_key::ApiKey;
use crate::domain::audit::AuditEvent;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{ApiKeyId, ChangesetId, DocumentId, SubjectId, VerificationId};
use crate::domain::report::{Counter, DayCount};
use crate::domain::verification::Verification;
use crate::ports::cipher::{Fingerprint, Sealed};

/// One write: everything that must become true together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeset {
    /// Its id, which its audit events carry.
    pub id: ChangesetId,
    /// What must hold for it to be applied.
    pub guards: Vec<Guard>,
    /// What it writes, in order.
    pub writes: Vec<Write>,
    /// The audit events, in order.
    pub audit: Vec<AuditEvent>,
    /// The request that this answers, where it was made under an idempotency key.
    pub idempotency: Option<IdempotencyRecord>,
}

/// What must hold for a changeset to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The customer is at this revision; else [`Conflict::Revision`].
    Revision {
        /// Whose.
        subject: SubjectId,
        /// The revision that was read.
        revision: u64,
    },
    /// The lease is the newest on its verification; else [`Conflict::LeaseLost`].
    Lease(Lease),
    /// Nobody has taken the verification since it was last put, not even under a lease that has run out since;
    /// else [`Conflict::LeaseLost`].
    Unclaimed(VerificationId),
    /// No customer whose id had one of these fingerprints was erased; else [`Conflict::Erased`].
    NotErased(Vec<Fingerprint>),
}

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new customer; [`Conflict::CustomerIdTaken`] where the id is in use.
    InsertCustomer(CustomerRow),
    /// The row of a customer who is there.
    UpdateCustomer(CustomerRow),
    /// The data of one version; rows of a version are never overwritten.
    InsertVersion {
        /// Whose.
        subject: SubjectId,
        /// Which version.
        version: u32,
        /// The data.
        data: Sealed,
        /// When.
        at: Timestamp,
    },
    /// All fingerprints of a customer, in place of those before.
    ReplaceFingerprints {
        /// Whose.
        subject: SubjectId,
        /// The fingerprints of the present data.
        fingerprints: Vec<Fingerprint>,
    },
    /// A verification, new or in place of what is there. A lease on it ends; its token stays the highest.
    PutVerification(Verification),
    /// The answer to a verification; the first one stays.
    PutAnswer {
        /// Which verification.
        verification: VerificationId,
        /// The answer, sealed.
        answer: Sealed,
        /// When it came.
        at: Timestamp,
    },
    /// Makes a file of chunks that were staged for the customer under its id: all of [`DocumentFile::chunks`], and no
    /// more.
    ///
    /// [`DocumentFile::chunks`]: crate::domain::document_file::DocumentFile::chunks
    AttachDocument(DocumentRow),
    /// Takes away a file of the customer with its chunks; nothing where it isn't there.
    RemoveDocument {
        /// Whose.
        subject: SubjectId,
        /// Which file.
        document: DocumentId,
    },
    /// Takes away chunks of files that were begun at or before a time and that no changeset has named, oldest first.
    ForgetUploads {
        /// The time.
        begun_by: Timestamp,
        /// The most files whose chunks are taken away.
        limit: u32,
    },
    /// Changes a counter.
    Count(DayCount),
    /// Takes away everything of the subject: the customer with the data key, versions, fingerprints,
    /// verifications with their leases, answers, files, also such as are on their way. Counters and audit events stay. [`Conflict::Revision`] where
    /// the customer isn't there.
    EraseCustomer(Erasure),
    /// Notes an erasure of somebody who isn't there, unless it is noted already.
    RememberErasure(Erasure),
    /// What a provider is to forget, new or in place of what is there for the verification.
    PutForgetting(Forgetting),
    /// A provider has forgotten, or can't be asked. Where there is no such row nothing happens.
    RemoveForgetting(VerificationId),
    /// A new API key.
    InsertApiKey(ApiKey),
    /// Ends an API key; where it has ended the first time stays.
    RevokeApiKey {
        /// Which key.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// When an API key was last used, unless a later time is there.
    TouchApiKey {
        /// Which key.
        id: ApiKeyId,
        /// When.
        at: Timestamp,
    },
    /// Removes entries of idempotency keys that have expired, earliest first.
    ForgetExpired {
        /// What has expired at this time.
        now: Timestamp,
        /// The most to remove.
        limit: u32,
    },
}

impl Write {
    /// A change of a counter.
    #[must_use]
    pub const fn count(day: Date, counter: Counter, count: i64) -> Self {
        Self::Count(DayCount { day, counter, count })
    }
}
