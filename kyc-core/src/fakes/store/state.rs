//! What a memory store holds: a map a table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::api_key::ApiKey;
use crate::domain::audit::ChainedEvent;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{ApiKeyId, CustomerId, SubjectId, VerificationId};
use crate::domain::report::Counter;
use crate::domain::verification::Verification;
use crate::ports::cipher::{Fingerprint, Sealed};
use crate::ports::store::{
    CustomerRecord, CustomerRow, Forgetting, IdempotencyRecord, StoreError, VerificationRecord,
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

impl State {
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
