//! How a memory store applies a changeset: whole, or not at all.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::documents;
use super::state::{Leased, State};
use crate::domain::api_key::ApiKey;
use crate::domain::audit::{AuditHash, ChainedEvent};
use crate::domain::erasure::Erasure;
use crate::domain::ids::{ApiKeyId, SubjectId};
use crate::ports::store::{
    Changeset, CommitError, Conflict, CustomerRow, Guard, IdempotencyRecord, Lease, RecordedAnswer,
    StoreError, Write,
};

/// Checks the guards, writes in order, and appends the audit events. After an error nothing has changed.
pub(super) fn apply(state: &mut State, changeset: Changeset) -> Result<(), CommitError> {
    if let Some(record) = &changeset.idempotency {
        let taken =
            |key| state.idempotency.get(key).is_some_and(|there| there.expires_at > record.recorded_at);
        if record.keys.iter().any(taken) {
            return Err(Conflict::IdempotencyKeyTaken.into());
        }
    }
    for guard in changeset.guards {
        check(state, guard)?;
    }
    let mut transaction = Transaction { state, undo: Vec::new() };
    let writes = changeset.writes.into_iter().try_for_each(|write| transaction.write(write));
    if let Err(error) = writes.and_then(|()| transaction.record(changeset.idempotency)) {
        transaction.roll_back();
        return Err(error);
    }
    // Nothing can fail any more, so the chain needs no undoing.
    for event in changeset.audit {
        let (sequence, head) = match state.audit.last() {
            None => (1, AuditHash::ORIGIN),
            Some(last) => (last.sequence + 1, last.hash),
        };
        let hash = head.next(sequence, changeset.id, &event);
        state.audit.push(ChainedEvent { sequence, changeset: changeset.id, event, hash });
    }
    Ok(())
}

fn check(state: &State, guard: Guard) -> Result<(), Conflict> {
    match guard {
        Guard::Revision { subject, revision } => {
            let there = state.customers.get(&subject).is_some_and(|row| row.revision == revision);
            if there { Ok(()) } else { Err(Conflict::Revision) }
        }
        Guard::Lease(Lease { verification, token }) => {
            let newest = state.leases.get(&verification).is_some_and(|lease| lease.token == token);
            if newest { Ok(()) } else { Err(Conflict::LeaseLost) }
        }
        Guard::Unclaimed(id) => {
            let is_claimed = state.leases.get(&id).is_some_and(|lease| lease.until.is_some());
            let there = state.verifications.contains_key(&id);
            if there && !is_claimed { Ok(()) } else { Err(Conflict::LeaseLost) }
        }
        Guard::NotErased(fingerprints) => {
            if state.erasure(&fingerprints).is_none() {
                Ok(())
            } else {
                Err(Conflict::Erased)
            }
        }
    }
}

type Undo = Box<dyn FnOnce(&mut State)>;
type Table<K, V> = fn(&mut State) -> &mut BTreeMap<K, V>;

/// The writes so far, and how to take each of them back.
pub(super) struct Transaction<'a> {
    pub(super) state: &'a mut State,
    undo: Vec<Undo>,
}

impl Transaction<'_> {
    /// Every write goes through here, so that none is without its undoing.
    pub(super) fn put<K: Ord + Clone + 'static, V: 'static>(&mut self, table: Table<K, V>, key: K, value: V) {
        let before = table(self.state).insert(key.clone(), value);
        self.undo.push(Box::new(move |state| {
            match before {
                Some(before) => table(state).insert(key, before),
                None => table(state).remove(&key),
            };
        }));
    }

    /// The same for what goes.
    pub(super) fn remove<K: Ord + Clone + 'static, V: 'static>(&mut self, table: Table<K, V>, key: &K) {
        if let Some(before) = table(self.state).remove(key) {
            let key = key.clone();
            self.undo.push(Box::new(move |state| {
                table(state).insert(key, before);
            }));
        }
    }

    fn roll_back(self) {
        for undo in self.undo.into_iter().rev() {
            undo(self.state);
        }
    }

    fn write(&mut self, write: Write) -> Result<(), CommitError> {
        match write {
            Write::InsertCustomer(row) => self.insert_customer(row),
            Write::UpdateCustomer(row) => self.update_customer(row),
            Write::InsertVersion { subject, version, data, at } => {
                self.known(subject)?;
                if self.state.versions.contains_key(&(subject, version)) {
                    return Err(StoreError::Corrupt.into());
                }
                self.put(|state| &mut state.versions, (subject, version), (data, at));
                Ok(())
            }
            Write::ReplaceFingerprints { subject, fingerprints } => {
                self.known(subject)?;
                self.put(|state| &mut state.fingerprints, subject, fingerprints);
                Ok(())
            }
            Write::PutVerification(verification) => {
                self.known(verification.subject)?;
                if let Some(lease) = self.state.leases.get(&verification.id) {
                    let ended = Leased { until: None, ..*lease };
                    self.put(|state| &mut state.leases, verification.id, ended);
                }
                self.put(|state| &mut state.verifications, verification.id, verification);
                Ok(())
            }
            Write::PutAnswer { verification, answer, at: _ } => {
                if !self.state.verifications.contains_key(&verification) {
                    return Err(StoreError::Corrupt.into());
                }
                if !self.state.answers.contains_key(&verification) {
                    self.put(|state| &mut state.answers, verification, answer);
                }
                Ok(())
            }
            Write::AttachDocument(row) => documents::attach(self, row),
            Write::RemoveDocument { subject, document } => {
                documents::remove(self, subject, document);
                Ok(())
            }
            Write::ForgetUploads { begun_by, limit } => {
                documents::forget(self, begun_by, usize::try_from(limit).unwrap_or(usize::MAX));
                Ok(())
            }
            Write::Count(change) => {
                let key = (change.day, change.counter);
                let before = self.state.counters.get(&key).copied().unwrap_or_default();
                self.put(|state| &mut state.counters, key, before.saturating_add(change.count));
                Ok(())
            }
            Write::EraseCustomer(erasure) => self.erase(erasure),
            Write::RememberErasure(erasure) => {
                if self.state.erasure(&[erasure.fingerprint]).is_none() {
                    self.put(|state| &mut state.erasures, erasure.subject, erasure);
                }
                Ok(())
            }
            Write::PutForgetting(one) => {
                self.put(|state| &mut state.forgettings, one.verification, one);
                Ok(())
            }
            Write::RemoveForgetting(id) => {
                self.remove(|state| &mut state.forgettings, &id);
                Ok(())
            }
            Write::InsertApiKey(key) => {
                let taken = |other: &ApiKey| other.id == key.id || other.digest == key.digest;
                if self.state.api_keys.values().any(taken) {
                    return Err(StoreError::Corrupt.into());
                }
                self.put(|state| &mut state.api_keys, key.id, key);
                Ok(())
            }
            Write::RevokeApiKey { id, at } => self.change_api_key(id, |key| {
                key.revoked_at.get_or_insert(at);
            }),
            Write::TouchApiKey { id, at } => {
                self.change_api_key(id, |key| key.last_used_at = key.last_used_at.max(Some(at)))
            }
            Write::ForgetExpired { now, limit } => {
                self.forget_expired(now, usize::try_from(limit).unwrap_or(usize::MAX));
                Ok(())
            }
        }
    }

    fn record(&mut self, record: Option<IdempotencyRecord>) -> Result<(), CommitError> {
        let Some(record) = record else { return Ok(()) };
        match record.answer {
            RecordedAnswer::Sealed { subject, .. } => self.known(subject)?,
            RecordedAnswer::ApiKey(id) if self.state.api_keys.contains_key(&id) => {}
            RecordedAnswer::ApiKey(_) => return Err(StoreError::Corrupt.into()),
        }
        for key in record.keys.clone() {
            self.put(|state| &mut state.idempotency, key, record.clone());
        }
        Ok(())
    }

    fn forget_expired(&mut self, now: Timestamp, limit: usize) {
        let entries = self.state.idempotency.iter();
        let mut expired: Vec<_> = entries.map(|(key, record)| (record.expires_at, *key)).collect();
        expired.retain(|(at, _)| *at <= now);
        expired.sort_unstable();
        for (_, key) in expired.into_iter().take(limit) {
            if let Some(record) = self.state.idempotency.remove(&key) {
                self.undo.push(Box::new(move |state| drop(state.idempotency.insert(key, record))));
            }
        }
    }

    fn erase(&mut self, erasure: Erasure) -> Result<(), CommitError> {
        let subject = erasure.subject;
        let row = self.state.customers.get(&subject).ok_or(Conflict::Revision)?;
        let customer_id = row.customer_id.clone();
        let verifications = self.state.verifications.values().filter(|one| one.subject == subject);
        for id in verifications.map(|one| one.id).collect::<Vec<_>>() {
            self.remove(|state| &mut state.answers, &id);
            self.remove(|state| &mut state.leases, &id);
            self.remove(|state| &mut state.verifications, &id);
        }
        let versions = self.state.versions.keys().filter(|(of, _)| *of == subject);
        for key in versions.copied().collect::<Vec<_>>() {
            self.remove(|state| &mut state.versions, &key);
        }
        let recorded = self.state.idempotency.iter().filter(|(_, record)| {
            matches!(&record.answer, RecordedAnswer::Sealed { subject: of, .. } if *of == subject)
        });
        for key in recorded.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.remove(|state| &mut state.idempotency, &key);
        }
        documents::erase(self, subject);
        self.remove(|state| &mut state.fingerprints, &subject);
        self.remove(|state| &mut state.subjects, &customer_id);
        self.remove(|state| &mut state.customers, &subject);
        self.put(|state| &mut state.erasures, subject, erasure);
        Ok(())
    }

    fn change_api_key(&mut self, id: ApiKeyId, change: impl FnOnce(&mut ApiKey)) -> Result<(), CommitError> {
        let mut key = self.state.api_keys.get(&id).ok_or(StoreError::Corrupt)?.clone();
        change(&mut key);
        self.put(|state| &mut state.api_keys, id, key);
        Ok(())
    }

    fn insert_customer(&mut self, row: CustomerRow) -> Result<(), CommitError> {
        if self.state.subjects.contains_key(&row.customer_id) {
            return Err(Conflict::CustomerIdTaken.into());
        }
        if self.state.customers.contains_key(&row.subject) {
            return Err(StoreError::Corrupt.into());
        }
        self.put(|state| &mut state.subjects, row.customer_id.clone(), row.subject);
        self.put(|state| &mut state.customers, row.subject, row);
        Ok(())
    }

    /// The id of a customer never changes, so the index of ids is left alone.
    fn update_customer(&mut self, row: CustomerRow) -> Result<(), CommitError> {
        match self.state.customers.get(&row.subject) {
            None => Err(Conflict::Revision.into()),
            Some(before) if before.customer_id != row.customer_id => Err(StoreError::Corrupt.into()),
            Some(_) => {
                self.put(|state| &mut state.customers, row.subject, row);
                Ok(())
            }
        }
    }

    pub(super) fn known(&self, subject: SubjectId) -> Result<(), StoreError> {
        if self.state.customers.contains_key(&subject) { Ok(()) } else { Err(StoreError::Corrupt) }
    }
}
