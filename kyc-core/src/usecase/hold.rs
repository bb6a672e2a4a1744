//! Legal holds: "this person's data must not go, whatever else is asked."

use super::absence::Absence;
use super::change::Change;
use super::sealing::{Place, seal};
use super::{Answer, Kyc, PortFailure, ROUNDS, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::erasure::HoldReason;
use crate::domain::fault::{Faults, Invalid};
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::store::Standing;

/// A legal hold to set, unparsed.
#[derive(Debug, Clone, Default)]
pub struct SetLegalHold {
    /// Why. It may hold personal data, and is sealed.
    pub reason: Option<Secret<String>>,
    /// What reading the input already found to be wrong.
    pub faults: Faults,
}

/// A legal hold that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// The caller's id of the customer.
    pub customer_id: CustomerId,
    /// The reason as it is kept.
    pub reason: HoldReason,
}

/// Why a legal hold was not set or lifted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Puts a customer under a legal hold, in place of one that is there: nothing erases the customer until it
    /// is lifted.
    ///
    /// # Errors
    /// [`HoldError`].
    pub async fn set_legal_hold(
        &self,
        actor: &Actor,
        id: &CustomerId,
        request: SetLegalHold,
    ) -> Result<LegalHold, HoldError> {
        actor.require(Permission::HoldCustomers)?;
        for _ in 0..ROUNDS {
            let standing = self.found::<_, HoldError>(id, self.ports.store.standing(id).await).await?;
            let reason = read(&request).map_err(HoldError::Invalid)?;
            let hold = LegalHold { customer_id: standing.row.customer_id.clone(), reason };
            match self.store_hold(actor, &standing, Some(&hold)).await {
                Ok(()) => return Ok(hold),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    /// Lifts the legal hold on a customer. Where there is none nothing happens.
    ///
    /// # Errors
    /// [`HoldError`].
    pub async fn lift_legal_hold(&self, actor: &Actor, id: &CustomerId) -> Result<(), HoldError> {
        actor.require(Permission::HoldCustomers)?;
        for _ in 0..ROUNDS {
            let standing = self.found::<_, HoldError>(id, self.ports.store.standing(id).await).await?;
            if standing.row.legal_hold.is_none() {
                return Ok(());
            }
            match self.store_hold(actor, &standing, None).await {
                Ok(()) => return Ok(()),
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(PortFailure::Contended.into())
    }

    async fn store_hold(
        &self,
        actor: &Actor,
        standing: &Standing,
        hold: Option<&LegalHold>,
    ) -> Result<(), Refused> {
        let now = self.now();
        let mut change = Change::of(&standing.row, &standing.latest, now);
        let (action, sealed) = match hold {
            Some(hold) => {
                let bytes = Secret::new(hold.reason.expose().as_bytes().to_vec());
                let sealed = seal(&*self.ports.cipher, &mut change.row, Place::LegalHold, &bytes);
                (Action::LegalHoldSet, Some(sealed.map_err(|error| Refused::Failed(error.into()))?))
            }
            None => (Action::LegalHoldLifted, None),
        };
        change.row.legal_hold = sealed;
        change.witness(AuditEvent::new(actor, action, now));
        if let Some(hold) = hold {
            change.answer(self, Answer::LegalHoldSet(hold), Vec::new)?;
        }
        change.commit(self).await.map(drop)
    }
}

fn read(request: &SetLegalHold) -> Result<HoldReason, Faults> {
    const REQUIRED: Invalid = Invalid::new("field.required", "a reason is expected");
    let mut faults = request.faults.clone();
    let reason = request.reason.as_ref().ok_or(REQUIRED);
    let reason = faults.take("/reason", reason.and_then(|text| HoldReason::parse(text.expose())));
    reason.filter(|_| faults.is_empty()).ok_or(faults)
}
