//! The ledger of erasures: each erasure is noted outside the store, and a store that was restored from a
//! backup has done to it again what was done since.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Kyc, PortFailure, ROUNDS, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::erasure::Erasure;
use crate::domain::ids::SubjectId;
use crate::ports::ErasureLedger;
use crate::ports::ledger::LedgerError;
use crate::ports::store::{StoreError, Write};

/// How many erasures are read or written at once.
const PAGE: u32 = 500;

/// The word of an event of an erasure that was done again.
const REPLAYED: &str = "replayed";

/// The ledger, and what it could not take yet.
#[derive(Clone)]
pub(super) struct Ledger {
    kept: Arc<dyn ErasureLedger>,
    unrecorded: Arc<Mutex<Vec<Erasure>>>,
    failing: Arc<AtomicBool>,
}

impl Ledger {
    async fn append(&self, erasures: &[Erasure]) -> Result<(), LedgerError> {
        let result = self.kept.append(erasures).await;
        self.failing.store(result.is_err(), Ordering::Relaxed);
        result?;
        self.unrecorded().retain(|waiting| !erasures.contains(waiting));
        Ok(())
    }

    fn unrecorded(&self) -> MutexGuard<'_, Vec<Erasure>> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({} unrecorded)", self.unrecorded().len())
    }
}

/// What was found when the ledger and the store were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Erasures of the store that the ledger lacked, and has now.
    pub recorded: usize,
    /// People whom a restored store had brought back, and who were erased again.
    pub erased: usize,
    /// Erasures of people whom the store does not hold, which it lacked and has now.
    pub remembered: usize,
}

/// Why ledger and store could not be compared. What was done until then stays done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The ledger can't.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Kyc {
    /// Has each erasure noted in a ledger outside the store. Call [`Kyc::replay_erasures`] before anything is
    /// served.
    #[must_use]
    pub fn with_erasure_ledger(mut self, ledger: Arc<dyn ErasureLedger>) -> Self {
        self.ledger = Some(Ledger { kept: ledger, unrecorded: Arc::default(), failing: Arc::default() });
        self
    }

    /// How many erasures the ledger could not take when it was last asked to. While there are any a restored backup could bring
    /// somebody back, and the service should say that it is not ready.
    #[must_use]
    pub fn unrecorded_erasures(&self) -> usize {
        let failing = self.ledger.as_ref().filter(|ledger| ledger.failing.load(Ordering::Relaxed));
        failing.map_or(0, |ledger| ledger.unrecorded().len())
    }

    /// Tries again to note what the ledger could not take. For a job.
    ///
    /// # Errors
    /// [`LedgerError`] where it still can't.
    pub async fn record_erasures(&self) -> Result<(), LedgerError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let waiting = ledger.unrecorded().clone();
        if waiting.is_empty() {
            return Ok(());
        }
        ledger.append(&waiting).await
    }

    /// Notes an erasure that is committed. Where the ledger can't take it now it waits, and the erasure
    /// stands all the same.
    pub(super) async fn note_erasure(&self, erasure: Erasure) {
        let Some(ledger) = &self.ledger else { return };
        // It waits from the start, so that a caller who goes away in the middle leaves it to the job.
        ledger.unrecorded().push(erasure);
        // What fails is still among those that wait.
        let _ = ledger.append(&[erasure]).await;
    }

    /// Compares the ledger with the store, and mends both: what the ledger lacks is added to it; whoever was
    /// erased and is in the store, since it was restored, is erased again, whatever speaks against it there;
    /// and the ids of all others who were erased stay known. To be done before anything is served.
    ///
    /// # Errors
    /// [`ReplayError`]. Nothing should be served then.
    pub async fn replay_erasures(&self) -> Result<Replayed, ReplayError> {
        let Some(ledger) = &self.ledger else { return Ok(Replayed::default()) };
        let entries = ledger.kept.entries().await?;
        let noted: BTreeSet<SubjectId> = entries.iter().map(|erasure| erasure.subject).collect();
        let mut known = BTreeSet::new();
        let mut replayed = Replayed::default();
        loop {
            let page = self.ports.store.erasures(known.last().copied(), PAGE).await?;
            if page.is_empty() {
                break;
            }
            let lacking: Vec<_> =
                page.iter().filter(|erasure| !noted.contains(&erasure.subject)).copied().collect();
            if !lacking.is_empty() {
                ledger.append(&lacking).await?;
                replayed.recorded += lacking.len();
            }
            known.extend(page.iter().map(|erasure| erasure.subject));
        }
        let mut missing: Vec<_> =
            entries.into_iter().filter(|erasure| !known.contains(&erasure.subject)).collect();
        missing.sort_by_key(|erasure| erasure.subject);
        missing.dedup_by_key(|erasure| erasure.subject);
        for page in missing.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
            self.replay(page, &mut replayed).await?;
        }
        Ok(replayed)
    }

    async fn replay(&self, page: &[Erasure], replayed: &mut Replayed) -> Result<(), PortFailure> {
        let actor = Actor::system("erasure-ledger");
        let subjects: Vec<_> = page.iter().map(|erasure| erasure.subject).collect();
        let back: BTreeSet<SubjectId> =
            self.ports.store.customer_ids(&subjects).await?.into_iter().map(|(subject, _)| subject).collect();
        for erasure in page.iter().filter(|erasure| back.contains(&erasure.subject)) {
            self.erase_again(&actor, *erasure).await?;
            replayed.erased += 1;
        }
        let gone: Vec<_> = page.iter().filter(|erasure| !back.contains(&erasure.subject)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let event = |erasure: &&Erasure| {
            let event = AuditEvent::new(&actor, Action::ErasureRemembered, now).on(erasure.subject);
            event.because([erasure.reason.as_str()])
        };
        let audit = gone.iter().map(event).collect();
        let writes = gone.iter().map(|erasure| Write::RememberErasure(**erasure)).collect();
        self.commit_alone(now, writes, audit).await?;
        replayed.remembered += gone.len();
        Ok(())
    }

    /// Erases somebody who was erased before.
    async fn erase_again(&self, actor: &Actor, erasure: Erasure) -> Result<(), PortFailure> {
        for _ in 0..ROUNDS {
            let ids = self.ports.store.customer_ids(&[erasure.subject]).await?;
            let Some((_, id)) = ids.first() else { return Ok(()) };
            let Some(standing) = self.ports.store.standing(id).await? else { return Ok(()) };
            let event = AuditEvent::new(actor, Action::CustomerErased, self.now());
            let event = event.because([erasure.reason.as_str(), REPLAYED]);
            match self.commit_erasure(&standing, erasure, event).await {
                Ok(()) => return Ok(()),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure),
            }
        }
        Err(PortFailure::Contended)
    }
}
