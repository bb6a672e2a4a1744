//! What a memory store holds: a map a table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::api_key::ApiKey;
use crate::domain::audit::ChainedEvent;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{ApiKeyId, CustomerId, DocumentId, SubjectId, VerificationId};
use crate::domain::report::Counter;
use crate::domain::verification::Verification;
use crate::ports::cipher::{Fingerprint, Sealed};
use crate::ports::store::{
    CommitError, Conflict, CustomerRecord, CustomerRow, DocumentRow, Forgetting, IdempotencyRecord,
    StoreError, Upload, VerificationRecord,
};

/// The maps are sorted where a read promises an order.
#[derive(Default)]
pub(super) struct State {
    pub(super) customers: BTreeMap<SubjectId, CustomerRow>,
    pub(super) subjects: BTreeMap<CustomerId, SubjectId>,
    pub(super) versions: BTreeMap<(SubjectId, u32), (Sealed, Timestamp)>,
    pub(super) fingerprints: BTreeMap<SubjectId, Vec<Fingerprint>>,
    pub(super) verifications: BTreeMap<VerificationId, Verification>,
    pub(super) leases: BTreeMap<VerificationId, Leased>,
    pub(super) answers: BTreeMap<VerificationId, Sealed>,
    pub(super) counters: BTreeMap<(Date, Counter), i64>,
    pub(super) api_keys: BTreeMap<ApiKeyId, ApiKey>,
    /// An entry for each key of a record.
    pub(super) idempotency: BTreeMap<[u8; 32], IdempotencyRecord>,
    pub(super) documents: BTreeMap<DocumentId, DocumentRow>,
    /// Also those of files that are on their way.
    pub(super) chunks: BTreeMap<(DocumentId, u32), Sealed>,
    pub(super) uploads: BTreeMap<DocumentId, Begun>,
    pub(super) erasures: BTreeMap<SubjectId, Erasure>,
    pub(super) forgettings: BTreeMap<VerificationId, Forgetting>,
    pub(super) audit: Vec<ChainedEvent>,
}

/// The newest lease of a verification; the token outlives it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Leased {
    pub(super) token: u64,
    pub(super) until: Option<Timestamp>,
}

/// A file that no changeset has named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) subject: SubjectId,
    pub(super) at: Timestamp,
}

impl State {
    /// Keeps chunks of a file that is on its way.
    pub(super) fn stage(&mut self, upload: Upload) -> Result<(), CommitError> {
        let Upload { subject, document, at, first, chunks } = upload;
        if !self.customers.contains_key(&subject) {
            return Err(Conflict::Revision.into());
        }
        let is_anothers = self.uploads.get(&document).is_some_and(|begun| begun.subject != subject);
        if is_anothers || self.documents.contains_key(&document) {
            return Err(StoreError::Corrupt.into());
        }
        self.uploads.entry(document).or_insert(Begun { subject, at });
        self.chunks.extend((first..).zip(chunks).map(|(index, chunk)| ((document, index), chunk)));
        Ok(())
    }

    /// The numbers of a file's chunks.
    pub(super) fn chunks_of(&self, document: DocumentId) -> Vec<u32> {
        let range = self.chunks.range((document, 0)..=(document, u32::MAX));
        range.map(|((_, index), _)| *index).collect()
    }

    pub(super) fn customer_record(&self, subject: SubjectId) -> Result<CustomerRecord, StoreError> {
        let row = self.customers.get(&subject).ok_or(StoreError::Corrupt)?;
        let (data, _) = self.versions.get(&(subject, row.version)).ok_or(StoreError::Corrupt)?;
        let latest = self.verifications.get(&row.latest).ok_or(StoreError::Corrupt)?;
        Ok(CustomerRecord { row: row.clone(), data: data.clone(), latest: latest.clone() })
    }

    pub(super) fn verification_record(&self, of: &Verification) -> Result<VerificationRecord, StoreError> {
        let row = self.customers.get(&of.subject).ok_or(StoreError::Corrupt)?;
        let (data, _) = self.versions.get(&(of.subject, of.version)).ok_or(StoreError::Corrupt)?;
        Ok(VerificationRecord { verification: of.clone(), row: row.clone(), data: data.clone() })
    }

    /// The erasure of whom one of these fingerprints is of.
    pub(super) fn erasure(&self, fingerprints: &[Fingerprint]) -> Option<&Erasure> {
        self.erasures.values().find(|erasure| fingerprints.contains(&erasure.fingerprint))
    }

    /// What is due at `now` and under no lease, earliest first.
    pub(super) fn claimable(&self, now: Timestamp) -> Vec<(Timestamp, VerificationId)> {
        let leased = |id: &VerificationId| {
            self.leases.get(id).and_then(|lease| lease.until).is_some_and(|until| until > now)
        };
        let due = self.verifications.values().filter_map(|queued| Some((queued.due_at?, queued.id)));
        let mut claimable: Vec<_> = due.filter(|(at, id)| *at <= now && !leased(id)).collect();
        claimable.sort_unstable();
        claimable
    }
}
