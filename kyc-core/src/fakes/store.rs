//! A whole store in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::lock;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::ChainedEvent;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{CustomerId, DocumentId, SubjectId, VerificationId};
use crate::domain::key_use::KeyUse;
use crate::domain::report::{DayCount, Range};
use crate::domain::verification::Verification;
use crate::ports::Store;
use crate::ports::cipher::{Fingerprint, Sealed};
use crate::ports::store::{
    ApiKeyReads, AuditReads, Changeset, Claim, Claimed, CommitError, CustomerFilter, CustomerReads,
    CustomerRecord, DocumentReads, DocumentRow, EndedRelationship, ErasureReads, Forgetting, ForgettingReads,
    IdempotencyReads, KeyCount, KeyReads, Lease, PageRequest, Queue, Recorded, RecordedAnswer, ReportReads,
    Sharing, Standing, StoreError, Upload, VerificationReads, VerificationRecord, VersionRow,
};

mod documents;
mod state;
mod transaction;

use state::{Leased, State};

/// A [`Store`] that keeps everything in memory, passes the whole contract suite but for durability, and can
/// be told to fail. Clones share what it holds.
///
/// ```
/// use futures_util::FutureExt;
/// use kyc_core::fakes::MemoryStore;
/// use kyc_core::ports::Store;
/// use kyc_core::ports::store::StoreError;
///
/// let store = MemoryStore::new();
/// // Its futures never wait, so a test needs no runtime for them.
/// assert_eq!(store.ready().now_or_never(), Some(Ok(())));
/// store.fail_with(Some(StoreError::Unavailable));
/// assert_eq!(store.clone().ready().now_or_never(), Some(Err(StoreError::Unavailable)));
/// ```
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    state: State,
    commits: usize,
    failure: Option<StoreError>,
    commit_failures: VecDeque<CommitError>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the next commit that is not told to fail yet fail, without writing: with
    /// [`Conflict::Revision`](crate::ports::store::Conflict::Revision), a use case must read and decide again.
    pub fn fail_next_commit(&self, error: impl Into<CommitError>) {
        lock(&self.0).commit_failures.push_back(error.into());
    }

    /// Has every read and write fail, until it is told otherwise with `None`.
    pub fn fail_with(&self, failure: Option<StoreError>) {
        lock(&self.0).failure = failure;
    }

    /// How many changesets were applied.
    #[must_use]
    pub fn commits(&self) -> usize {
        lock(&self.0).commits
    }

    fn open(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let inner = lock(&self.0);
        match inner.failure {
            None => Ok(inner),
            Some(failure) => Err(failure),
        }
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = lock(&self.0);
        write!(f, "MemoryStore({} customers, {} commits)", inner.state.customers.len(), inner.commits)
    }
}

#[async_trait]
impl CustomerReads for MemoryStore {
    async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerRecord>, StoreError> {
        let inner = self.open()?;
        let subject = inner.state.subjects.get(id);
        subject.map(|subject| inner.state.customer_record(*subject)).transpose()
    }

    async fn standing(&self, id: &CustomerId) -> Result<Option<Standing>, StoreError> {
        let record = self.customer(id).await?;
        Ok(record.map(|CustomerRecord { row, latest, data: _ }| Standing { row, latest }))
    }

    async fn customers(
        &self,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Vec<CustomerRecord>, StoreError> {
        let inner = self.open()?;
        let before = page.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = inner.state.customers.range((Bound::Unbounded, before)).rev();
        rows.filter(|(_, row)| filter.passes(row.status))
            .take(size(page.limit))
            .map(|(subject, _)| inner.state.customer_record(*subject))
            .collect()
    }

    async fn customers_by_fingerprints(
        &self,
        fingerprints: &[Fingerprint],
        limit: u32,
    ) -> Result<Vec<CustomerRecord>, StoreError> {
        let inner = self.open()?;
        let one_of_them = |those: &Vec<Fingerprint>| those.iter().any(|one| fingerprints.contains(one));
        let having = inner.state.fingerprints.iter().rev().filter(|(_, those)| one_of_them(those));
        having.take(size(limit)).map(|(subject, _)| inner.state.customer_record(*subject)).collect()
    }

    async fn sharing(
        &self,
        fingerprints: &[Fingerprint],
        except: SubjectId,
        limit: u32,
    ) -> Result<Vec<Sharing>, StoreError> {
        let inner = self.open()?;
        let others = |wanted: &Fingerprint| {
            let all = inner.state.fingerprints.iter().rev();
            let having = all.filter(|(subject, those)| **subject != except && those.contains(wanted));
            let rows = having.filter_map(|(subject, _)| inner.state.customers.get(subject));
            let kind = wanted.kind;
            let sharing = rows.map(|row| Sharing {
                kind,
                subject: row.subject,
                customer_id: row.customer_id.clone(),
                status: row.status,
            });
            sharing.take(size(limit)).collect::<Vec<_>>()
        };
        Ok(fingerprints.iter().flat_map(others).collect())
    }

    async fn expired_customers(&self, now: Timestamp, limit: u32) -> Result<Vec<CustomerId>, StoreError> {
        let inner = self.open()?;
        let ends = inner.state.customers.values().filter_map(|row| Some((row.status.valid_until()?, row)));
        let mut expired: Vec<_> = ends.filter(|(end, _)| *end <= now).collect();
        expired.sort_by_key(|(end, row)| (*end, row.subject));
        Ok(expired.into_iter().take(size(limit)).map(|(_, row)| row.customer_id.clone()).collect())
    }
}

#[async_trait]
impl VerificationReads for MemoryStore {
    async fn verification(&self, id: VerificationId) -> Result<Option<VerificationRecord>, StoreError> {
        let inner = self.open()?;
        let verification = inner.state.verifications.get(&id);
        verification.map(|verification| inner.state.verification_record(verification)).transpose()
    }

    async fn verification_by_reference(
        &self,
        reference: [u8; 32],
    ) -> Result<Option<VerificationRecord>, StoreError> {
        let inner = self.open()?;
        let wanted = |one: &&Verification| one.reference == Some(reference) && one.due_at.is_some();
        let verification = inner.state.verifications.values().find(wanted);
        verification.map(|verification| inner.state.verification_record(verification)).transpose()
    }

    async fn verifications(&self, subject: SubjectId) -> Result<Vec<Verification>, StoreError> {
        let inner = self.open()?;
        let newest_first = inner.state.verifications.values().rev();
        Ok(newest_first.filter(|verification| verification.subject == subject).cloned().collect())
    }

    async fn answer(&self, id: VerificationId) -> Result<Option<Sealed>, StoreError> {
        Ok(self.open()?.state.answers.get(&id).cloned())
    }

    async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError> {
        match queue {
            Queue::Verifications => {
                Ok(self.open()?.state.verifications.values().filter_map(|queued| queued.due_at).min())
            }
        }
    }
}

#[async_trait]
impl ReportReads for MemoryStore {
    async fn counts(&self, range: Range) -> Result<Vec<DayCount>, StoreError> {
        let inner = self.open()?;
        let counters = inner.state.counters.iter();
        let within = counters.filter(|((day, _), _)| (range.start()..=range.end()).contains(day));
        Ok(within
            .map(|((day, counter), count)| DayCount { day: *day, counter: *counter, count: *count })
            .collect())
    }
}

#[async_trait]
impl AuditReads for MemoryStore {
    async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        let inner = self.open()?;
        let after = inner.state.audit.iter().filter(|event| event.sequence > sequence);
        Ok(after.take(size(limit)).cloned().collect())
    }

    async fn audit_events_before(
        &self,
        subject: Option<SubjectId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        let inner = self.open()?;
        let newest_first = inner.state.audit.iter().rev();
        let before = newest_first.filter(|event| before.is_none_or(|before| event.sequence < before));
        let of_subject = before.filter(|event| subject.is_none() || event.event.subject == subject);
        Ok(of_subject.take(size(limit)).cloned().collect())
    }

    async fn customer_ids(&self, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, CustomerId)>, StoreError> {
        let inner = self.open()?;
        let rows = subjects.iter().filter_map(|subject| inner.state.customers.get(subject));
        Ok(rows.map(|row| (row.subject, row.customer_id.clone())).collect())
    }
}

#[async_trait]
impl ApiKeyReads for MemoryStore {
    async fn api_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.open()?.state.api_keys.values().find(|key| key.digest == digest).cloned())
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.open()?.state.api_keys.values().rev().cloned().collect())
    }
}

#[async_trait]
impl IdempotencyReads for MemoryStore {
    async fn recorded(&self, key: [u8; 32]) -> Result<Option<Recorded>, StoreError> {
        let inner = self.open()?;
        let found = inner.state.idempotency.get(&key).map(|record| {
            let row = match &record.answer {
                RecordedAnswer::Sealed { subject, .. } => inner.state.customers.get(subject),
                RecordedAnswer::ApiKey(_) => None,
            };
            Recorded {
                body: record.body,
                answer: record.answer.clone(),
                expires_at: record.expires_at,
                key: row.map(|row| row.key.wrapped.clone()),
            }
        });
        Ok(found)
    }

    async fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.open()?.state.idempotency.values().map(|record| record.expires_at).min())
    }
}

#[async_trait]
impl ErasureReads for MemoryStore {
    async fn erasure(&self, fingerprints: &[Fingerprint]) -> Result<Option<Erasure>, StoreError> {
        Ok(self.open()?.state.erasure(fingerprints).copied())
    }

    async fn erasures(&self, after: Option<SubjectId>, limit: u32) -> Result<Vec<Erasure>, StoreError> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let inner = self.open()?;
        let behind = inner.state.erasures.range((after, Bound::Unbounded));
        Ok(behind.take(size(limit)).map(|(_, erasure)| *erasure).collect())
    }

    async fn versions(&self, subject: SubjectId) -> Result<Vec<VersionRow>, StoreError> {
        let inner = self.open()?;
        let versions = inner.state.versions.range((subject, 0)..=(subject, u32::MAX));
        let row = |((_, version), (data, at)): (&(SubjectId, u32), &(Sealed, Timestamp))| VersionRow {
            version: *version,
            data: data.clone(),
            at: *at,
        };
        Ok(versions.map(row).collect())
    }

    async fn retention_due(
        &self,
        before: Date,
        after: Option<(Date, SubjectId)>,
        limit: u32,
    ) -> Result<Vec<EndedRelationship>, StoreError> {
        let inner = self.open()?;
        let free = inner.state.customers.values().filter(|row| row.legal_hold.is_none());
        let ended = free.filter_map(|row| {
            let ended_on = row.relationship_ended_on.filter(|ended_on| *ended_on <= before)?;
            Some(EndedRelationship { ended_on, subject: row.subject, customer_id: row.customer_id.clone() })
        });
        let place = |ended: &EndedRelationship| (ended.ended_on, ended.subject);
        let mut due: Vec<_> = ended.filter(|ended| after.is_none_or(|after| place(ended) > after)).collect();
        due.sort_by_key(place);
        due.truncate(size(limit));
        Ok(due)
    }
}

/// How often each version is there, by version.
fn counted(versions: impl IntoIterator<Item = u32>) -> Vec<KeyCount> {
    let mut counts = BTreeMap::new();
    for version in versions {
        *counts.entry(version).or_default() += 1;
    }
    counts.into_iter().map(|(version, customers)| KeyCount { version, customers }).collect()
}

#[async_trait]
impl ForgettingReads for MemoryStore {
    async fn due_forgettings(&self, now: Timestamp, limit: u32) -> Result<Vec<Forgetting>, StoreError> {
        let inner = self.open()?;
        let mut due: Vec<_> =
            inner.state.forgettings.values().filter(|one| one.due_at <= now).cloned().collect();
        due.sort_by_key(|one| one.due_at);
        due.truncate(size(limit));
        Ok(due)
    }

    async fn forgettings(
        &self,
        after: Option<VerificationId>,
        limit: u32,
    ) -> Result<Vec<Forgetting>, StoreError> {
        let inner = self.open()?;
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = inner.state.forgettings.range((after, Bound::Unbounded));
        Ok(behind.take(size(limit)).map(|(_, one)| one.clone()).collect())
    }
}

#[async_trait]
impl KeyReads for MemoryStore {
    async fn key_counts(&self, of: KeyUse) -> Result<Vec<KeyCount>, StoreError> {
        let inner = self.open()?;
        let state = &inner.state;
        let versions: Vec<u32> = match of {
            KeyUse::Master => {
                let customers = state.customers.values().map(|row| row.key.wrapped.master_version);
                customers.chain(state.forgettings.values().map(|one| one.key.master_version)).collect()
            }
            KeyUse::Fingerprint => state
                .fingerprints
                .values()
                .flat_map(|all| all.iter().map(|one| one.key_version).collect::<BTreeSet<_>>())
                .collect(),
        };
        Ok(counted(versions))
    }

    async fn fingerprinted_otherwise(
        &self,
        subjects: &[SubjectId],
        current: u32,
    ) -> Result<Vec<SubjectId>, StoreError> {
        let inner = self.open()?;
        let otherwise = |subject: &&SubjectId| {
            let fingerprints = inner.state.fingerprints.get(subject);
            fingerprints.is_some_and(|all| all.iter().any(|one| one.key_version != current))
        };
        Ok(subjects.iter().filter(otherwise).copied().collect())
    }

    async fn erased_key_counts(&self) -> Result<Vec<KeyCount>, StoreError> {
        let inner = self.open()?;
        Ok(counted(inner.state.erasures.values().map(|erasure| erasure.fingerprint.key_version)))
    }
}

#[async_trait]
impl DocumentReads for MemoryStore {
    async fn documents(&self, subject: SubjectId) -> Result<Vec<DocumentRow>, StoreError> {
        let inner = self.open()?;
        Ok(inner.state.documents.values().filter(|row| row.subject == subject).cloned().collect())
    }

    async fn chunk(&self, document: DocumentId, index: u32) -> Result<Option<Sealed>, StoreError> {
        let inner = self.open()?;
        let chunk = inner.state.chunks.get(&(document, index));
        Ok(chunk.filter(|_| inner.state.documents.contains_key(&document)).cloned())
    }

    async fn oldest_upload(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.open()?.state.uploads.values().map(|begun| begun.at).min())
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, changeset: Changeset) -> Result<(), CommitError> {
        let mut inner = self.open()?;
        if let Some(failure) = inner.commit_failures.pop_front() {
            return Err(failure);
        }
        transaction::apply(&mut inner.state, changeset)?;
        inner.commits += 1;
        Ok(())
    }

    async fn stage(&self, upload: Upload) -> Result<(), CommitError> {
        self.open()?.state.stage(upload)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let mut inner = self.open()?;
        let state = &mut inner.state;
        let mut due = match claim.queue {
            Queue::Verifications => state.claimable(claim.now),
        };
        due.truncate(size(claim.limit));
        let records = due.into_iter().map(|(_, id)| {
            let verification = state.verifications.get(&id).ok_or(StoreError::Corrupt)?;
            state.verification_record(verification)
        });
        let records: Vec<_> = records.collect::<Result<_, _>>()?;
        let claimed = records.into_iter().map(|record| {
            let verification = record.verification.id;
            let leased = state.leases.entry(verification).or_default();
            *leased = Leased { token: leased.token + 1, until: Some(claim.until) };
            if let Some(taken) = state.verifications.get_mut(&verification) {
                taken.attempted = true;
            }
            Claimed { record, lease: Lease { verification, token: leased.token } }
        });
        Ok(claimed.collect())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.open().map(drop)
    }
}

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
