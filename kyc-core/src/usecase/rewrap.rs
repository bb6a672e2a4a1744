//! Put what is under older versions of a key under the current one, page by page, while the service serves.

use std::task::Poll;

use jiff::Timestamp;

use super::sealing::{fingerprints, open_digests};
use super::{Kyc, PortFailure, ROUNDS, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::CustomerId;
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::cipher::CipherError;
use crate::ports::store::{
    CustomerFilter, CustomerRecord, DocumentRow, Forgetting, Guard, PageRequest, Write,
};

/// How many customers share a changeset: enough that a sync is shared, and so few that nobody who writes
/// meanwhile waits for more than some milliseconds.
const PAGE: u32 = 100;
/// How often all customers are walked. Each walk finds those alone whose write was under way when the one
/// before came by, so that a second one nearly always finds the end.
const WALKS: usize = 16;
/// How many of those who can't be read are told by name.
const NAMED: usize = 20;

/// What came of putting customers under the current version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// How many customers were put under it.
    pub customers: u64,
    /// How many are not under it at the end, which was counted: none, unless some can't be read.
    pub left: u64,
    /// Some of those whose key or data does not open: it was altered, or its master key is not held.
    pub unreadable: Vec<CustomerId>,
}

/// Why customers were not put under the current version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RewrapError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A port failed. Those who were put under the current version stay there; to begin again goes on.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// Whether a customer was put under the current version.
enum Outcome {
    Moved,
    /// Somebody else has done so, or the person is gone.
    Nothing,
    /// Others changed the customer again and again; the next walk looks again.
    Contended,
    Unreadable(CustomerId),
}

/// What one walk over all customers came to.
#[derive(Default)]
struct Walked {
    moved: u64,
    contended: u64,
    unreadable: Vec<CustomerId>,
}

impl Kyc {
    /// Puts every customer's data key, or fingerprints, under the current version of the key.
    ///
    /// Each page of customers is one changeset, guarded by their revisions, with its audit event. It may be
    /// stopped at any time: what was done stays, and to begin again goes on from there. `progress` is told
    /// how many are done, and of how many.
    ///
    /// # Errors
    /// [`RewrapError`].
    pub async fn rewrap(
        &self,
        actor: &Actor,
        of: KeyUse,
        progress: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Rewrapped, RewrapError> {
        actor.require(Permission::RotateKeys)?;
        let mut done = Rewrapped::default();
        let mut walked = Walked::default();
        for walk in 0..=WALKS {
            done.left = self.behind(of).await?;
            progress(done.customers, done.customers + done.left);
            let is_at_its_end = walk > 0 && walked.moved + walked.contended == 0;
            if done.left == 0 || is_at_its_end || walk == WALKS {
                break;
            }
            let (before, total) = (done.customers, done.customers + done.left);
            let so_far = |moved| progress(before + moved, total.max(before + moved));
            walked = self.walk(actor, of, &so_far).await?;
            done.customers += walked.moved;
        }
        done.unreadable = walked.unreadable;
        Ok(done)
    }

    /// How many customers have something under another version than the current one.
    pub(super) async fn behind(&self, of: KeyUse) -> Result<u64, PortFailure> {
        let current = self.ports.cipher.current_versions().of(of);
        let counts = self.ports.store.key_counts(of).await?;
        let others = counts.iter().filter(|count| count.version != current);
        Ok(others.map(|count| count.customers).sum())
    }

    /// Walks all customers once, newest first.
    async fn walk(
        &self,
        actor: &Actor,
        of: KeyUse,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Walked, PortFailure> {
        let mut walked = Walked::default();
        if of == KeyUse::Master {
            walked.moved += self.move_forgettings(actor).await?;
        }
        let mut after = None;
        loop {
            let page = PageRequest { after, limit: PAGE };
            let records = self.ports.store.customers(CustomerFilter::default(), page).await?;
            let Some(last) = records.last() else { return Ok(walked) };
            after = Some(last.row.subject);
            let stale = self.stale(of, records).await?;
            if stale.is_empty() {
                continue;
            }
            let outcomes = match self.move_all(actor, of, &stale).await {
                Ok(outcomes) => outcomes,
                Err(Refused::Conflict(_)) => self.move_one_by_one(actor, of, &stale).await?,
                Err(Refused::Failed(failure)) => return Err(failure),
            };
            for outcome in outcomes {
                match outcome {
                    Outcome::Moved => walked.moved += 1,
                    Outcome::Contended => walked.contended += 1,
                    Outcome::Unreadable(id) if walked.unreadable.len() < NAMED => walked.unreadable.push(id),
                    Outcome::Nothing | Outcome::Unreadable(_) => {}
                }
            }
            progress(walked.moved);
            let_others_run().await;
        }
    }

    /// Those of a page who are not under the current version.
    async fn stale(
        &self,
        of: KeyUse,
        mut records: Vec<CustomerRecord>,
    ) -> Result<Vec<CustomerRecord>, PortFailure> {
        let current = self.ports.cipher.current_versions();
        match of {
            KeyUse::Master => {
                records.retain(|record| record.row.key.wrapped.master_version != current.master);
            }
            KeyUse::Fingerprint => {
                let subjects: Vec<_> = records.iter().map(|record| record.row.subject).collect();
                let store = &self.ports.store;
                let stale = store.fingerprinted_otherwise(&subjects, current.fingerprint).await?;
                records.retain(|record| stale.contains(&record.row.subject));
            }
        }
        Ok(records)
    }

    /// Moves customers with one changeset. Those who can't be read are left out and told.
    async fn move_all(
        &self,
        actor: &Actor,
        of: KeyUse,
        records: &[CustomerRecord],
    ) -> Result<Vec<Outcome>, Refused> {
        let now = self.now();
        let (mut guards, mut writes, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            let documents = match of {
                KeyUse::Master => Vec::new(),
                KeyUse::Fingerprint => self.documents_of(&record.row).await.map_err(Refused::Failed)?,
            };
            match self.moved(of, record, &documents) {
                Ok((guard, changes)) => {
                    guards.push(guard);
                    writes.extend(changes);
                    outcomes.push(Outcome::Moved);
                }
                Err(CipherError::Unreadable | CipherError::UnknownKeyVersion(_)) => {
                    outcomes.push(Outcome::Unreadable(record.row.customer_id.clone()));
                }
                Err(error @ (CipherError::Unavailable | CipherError::Exhausted)) => {
                    return Err(Refused::Failed(error.into()));
                }
            }
        }
        if !writes.is_empty() {
            self.commit(now, guards, writes, vec![self.rewrapped(actor, of, now)]).await?;
        }
        Ok(outcomes)
    }

    /// Others have changed one of them meanwhile: each is read again, and moved with a changeset of its own.
    async fn move_one_by_one(
        &self,
        actor: &Actor,
        of: KeyUse,
        records: &[CustomerRecord],
    ) -> Result<Vec<Outcome>, PortFailure> {
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            outcomes.push(self.move_one(actor, of, &record.row.customer_id).await?);
        }
        Ok(outcomes)
    }

    async fn move_one(&self, actor: &Actor, of: KeyUse, id: &CustomerId) -> Result<Outcome, PortFailure> {
        for _ in 0..ROUNDS {
            let record = self.ports.store.customer(id).await?;
            let stale = self.stale(of, record.into_iter().collect()).await?;
            match self.move_all(actor, of, &stale).await {
                Ok(mut outcomes) => return Ok(outcomes.pop().unwrap_or(Outcome::Nothing)),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure),
            }
        }
        Ok(Outcome::Contended)
    }

    /// What moves a customer. When the customer last changed stays as it is: nothing that is shown changes.
    fn moved(
        &self,
        of: KeyUse,
        record: &CustomerRecord,
        documents: &[DocumentRow],
    ) -> Result<(Guard, Vec<Write>), CipherError> {
        let cipher = &*self.ports.cipher;
        let mut row = record.row.clone();
        let guard = Guard::Revision { subject: row.subject, revision: row.revision };
        row.revision += 1;
        let writes = match of {
            KeyUse::Master => {
                row.key.wrapped = cipher.rewrap(&row.key.wrapped, row.subject)?;
                vec![Write::UpdateCustomer(row)]
            }
            KeyUse::Fingerprint => {
                let files = open_digests(cipher, &record.row, documents)?;
                let fingerprints = fingerprints(cipher, &self.open_latest(record)?, &files);
                let subject = row.subject;
                vec![Write::UpdateCustomer(row), Write::ReplaceFingerprints { subject, fingerprints }]
            }
        };
        Ok((guard, writes))
    }

    /// Puts the keys of what providers are still to forget under the current version. How many were moved.
    async fn move_forgettings(&self, actor: &Actor) -> Result<u64, PortFailure> {
        let (mut moved, mut after) = (0, None);
        loop {
            let page = self.ports.store.forgettings(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(moved) };
            after = Some(last.verification);
            let cipher = &*self.ports.cipher;
            let current = cipher.current_versions().master;
            let mut writes = Vec::new();
            for one in page.into_iter().filter(|one| one.key.master_version != current) {
                match cipher.rewrap(&one.key, one.subject) {
                    Ok(key) => writes.push(Write::PutForgetting(Forgetting { key, ..one })),
                    // It stays behind, and is counted.
                    Err(CipherError::Unreadable | CipherError::UnknownKeyVersion(_)) => {}
                    Err(error @ (CipherError::Unavailable | CipherError::Exhausted)) => {
                        return Err(error.into());
                    }
                }
            }
            if writes.is_empty() {
                continue;
            }
            moved += u64::try_from(writes.len()).unwrap_or(u64::MAX);
            let now = self.now();
            self.commit_alone(now, writes, vec![self.rewrapped(actor, KeyUse::Master, now)]).await?;
        }
    }

    fn rewrapped(&self, actor: &Actor, of: KeyUse, now: Timestamp) -> AuditEvent {
        let current = self.ports.cipher.current_versions().of(of);
        AuditEvent::new(actor, Action::KeysRewrapped, now).on_version(of, current)
    }
}

/// Waits for no time at all, so that a store that answers at once does not keep a thread for itself until the
/// last customer is done.
async fn let_others_run() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
