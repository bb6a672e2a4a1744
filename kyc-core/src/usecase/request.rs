//! Ask for another verification: "please look again".

use jiff::Timestamp;

use super::absence::Absence;
use super::change::Change;
use super::{Answer, Kyc, PortFailure, ROUNDS, Refused};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::Event;
use crate::domain::verification::{Cause, Verification};
use crate::ports::store::CustomerRecord;

/// Why no verification was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The customer is rejected for good.
    #[error("the customer is rejected for good")]
    Final,
    /// The customer has had as many verifications as the policy allows in 24 hours.
    #[error("the daily limit of verifications is reached")]
    LimitReached {
        /// The limit.
        limit: u32,
        /// The time now.
        now: Timestamp,
        /// When the next one is allowed.
        until: Timestamp,
    },
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Queues another verification of the present data, in place of one that is open.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn request_verification(
        &self,
        actor: &Actor,
        id: &CustomerId,
    ) -> Result<Verification, RequestError> {
        actor.require(Permission::RequestVerification)?;
        for _ in 0..ROUNDS {
            let now = self.now();
            let record = self.found::<_, RequestError>(id, self.ports.store.customer(id).await).await?;
            if record.row.status.is_final() {
                return Err(RequestError::Final);
            }
            let next = self.next_verification(&record.row, Cause::Request, now).await?;
            if next.scheduled_for > now {
                let limit = self.policy.verifications_per_day;
                return Err(RequestError::LimitReached { limit, now, until: next.scheduled_for });
            }
            match self.queue_next(actor, &record, next.clone(), now).await {
                Ok(()) => return Ok(next),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    /// Queues a verification of data that did not change.
    pub(super) async fn queue_next(
        &self,
        actor: &Actor,
        record: &CustomerRecord,
        next: Verification,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut change = Change::of(&record.row, &record.latest, now);
        let Ok(status) = record.row.status.after(Event::Queued) else {
            // The caller looked before; who is rejected for good is left alone.
            return Ok(());
        };
        change.row.status = status;
        change.witness(
            AuditEvent::new(actor, Action::VerificationQueued, now)
                .of(next.id, &next.provider)
                .because([next.cause.as_str()])
                .moving(Some(record.row.status), status),
        );
        change.answer(self, Answer::VerificationQueued(&next), Vec::new)?;
        change.queue(next);
        change.commit(self).await?;
        self.wake();
        Ok(())
    }
}
