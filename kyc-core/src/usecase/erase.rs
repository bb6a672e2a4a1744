//! Erase a person: "forget this one, as far as the law lets us."
//!
//! The data key, the fingerprints and the row of the caller's id go in one commit with the event; what is left
//! are counts, events that name a random subject, and a keyed fingerprint of the id.

use jiff::Timestamp;
use jiff::civil::Date;

use super::absence::Absence;
use super::change::codes;
use super::sealing::id_fingerprints;
use super::{Kyc, PortFailure, ROUNDS, Refused, day};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::erasure::{Erasure, ErasureReason};
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::report::Counter;
use crate::ports::store::{Guard, Standing, Write};

/// What is asked of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erase {
    /// Why.
    pub reason: ErasureReason,
    /// Whether to erase although the time for which the data has to be kept still runs.
    pub override_retention: bool,
}

/// Why a person was not erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EraseError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The customer is under a legal hold, which nothing overrides.
    #[error("the customer is under a legal hold")]
    LegalHold,
    /// The time for which the data has to be kept still runs, and nobody overrode it.
    #[error("the time for which the data has to be kept still runs")]
    Retention {
        /// From which day on the customer may be erased.
        erasable_from: Date,
    },
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// The word of an event whose erasure came before the time was over.
const OVERRIDDEN: &str = "retention_overridden";

impl Kyc {
    /// Erases a customer. From then on the id is [`Absence::Erased`], and can't be registered again. It returns
    /// when the erasure is durable, and noted in the ledger where there is one that works.
    ///
    /// # Errors
    /// [`EraseError`], in this order: who may not, who isn't there, a legal hold, the retention.
    pub async fn erase(&self, actor: &Actor, id: &CustomerId, request: Erase) -> Result<(), EraseError> {
        actor.require(Permission::EraseCustomers)?;
        let Erase { reason, override_retention } = request;
        for _ in 0..ROUNDS {
            let now = self.now();
            let standing = self.found::<_, EraseError>(id, self.ports.store.standing(id).await).await?;
            if standing.row.legal_hold.is_some() {
                return Err(EraseError::LegalHold);
            }
            let erasable_from = self.erasable_from(&standing.row).await?;
            let early = day(now) < erasable_from;
            if early && !override_retention {
                return Err(EraseError::Retention { erasable_from });
            }
            let words = std::iter::once(reason.as_str()).chain(early.then_some(OVERRIDDEN));
            let event = AuditEvent::new(actor, Action::CustomerErased, now).because(words);
            let erasure = self.erasure_of(&standing, reason, now);
            match self.commit_erasure(&standing, erasure, event).await {
                Ok(()) => {
                    self.note_erasure(erasure).await;
                    return Ok(());
                }
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    fn erasure_of(&self, standing: &Standing, reason: ErasureReason, at: Timestamp) -> Erasure {
        let fingerprints = id_fingerprints(&*self.ports.cipher, &standing.row.customer_id);
        let subject = standing.row.subject;
        Erasure { fingerprint: fingerprints[0], subject, at, reason }
    }

    /// Erases what was read, where it has not changed since.
    pub(super) async fn commit_erasure(
        &self,
        standing: &Standing,
        erasure: Erasure,
        event: AuditEvent,
    ) -> Result<(), Refused> {
        let Standing { row, latest } = standing;
        let on = row.registered_on();
        let mut writes = vec![Write::EraseCustomer(erasure)];
        writes.extend(self.forgettings(row, event.at).await?);
        writes.push(Write::count(on, Counter::Status(row.status.kind()), -1));
        let discrepancies = codes(&latest.discrepancies).into_iter().map(Counter::Discrepancy);
        writes.extend(discrepancies.map(|counter| Write::count(on, counter, -1)));
        writes.push(Write::count(on, Counter::Erased, 1));
        let guard = Guard::Revision { subject: row.subject, revision: row.revision };
        self.commit(event.at, vec![guard], writes, vec![event.on(row.subject)]).await
    }
}
