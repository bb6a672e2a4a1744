//! Retention: "whose time is over?", and to erase them.

use jiff::civil::Date;

use super::erase::{Erase, EraseError};
use super::{Kyc, PortFailure, day};
use crate::domain::actor::Actor;
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::retention::{Beginnings, last_end_that_is_over};

/// How many customers are looked at between two reads of the store.
const PAGE: u32 = 200;

/// A customer whose data need not be kept any longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The caller's id.
    pub customer_id: CustomerId,
    /// Since when the customer may be erased.
    pub erasable_from: Date,
}

/// Why it is not known who is due, or why not all of them were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// The customers whose relationship has ended, whose data need not be kept any longer, and who are under no
    /// legal hold: earliest end first. One whose relationship has no recorded end is not among them.
    ///
    /// # Errors
    /// [`RetentionError`].
    pub async fn retention_due(&self, actor: &Actor) -> Result<Vec<Due>, RetentionError> {
        actor.require(Permission::EraseCustomers)?;
        let (today, years) = (day(self.now()), self.policy.retention_years);
        let before = last_end_that_is_over(today, years);
        let (mut due, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.ports.store.retention_due(before, after, PAGE).await.map_err(PortFailure::from)?;
            let Some(last) = page.last() else { return Ok(due) };
            after = Some((last.ended_on, last.subject));
            for ended in page {
                // A decision may have come after the end, and then the time runs from there.
                let standing = self.ports.store.standing(&ended.customer_id).await;
                let Some(standing) = standing.map_err(PortFailure::from)? else { continue };
                let verifications = self.ports.store.verifications(ended.subject).await;
                let verifications = verifications.map_err(PortFailure::from)?;
                let erasable_from = Beginnings::of(&standing.row, &verifications).erasable_from(years);
                if erasable_from <= today {
                    due.push(Due { customer_id: ended.customer_id, erasable_from });
                }
            }
        }
    }

    /// Erases every customer of [`Kyc::retention_due`], and tells `progress` how many of them are done. Returns
    /// those who were erased; one who has changed since and is not due any more is left alone.
    ///
    /// # Errors
    /// [`RetentionError`]; those erased before stay erased.
    pub async fn erase_due(
        &self,
        actor: &Actor,
        mut progress: impl FnMut(usize, usize) + Send,
    ) -> Result<Vec<Due>, RetentionError> {
        actor.require(Permission::EraseCustomers)?;
        let due = self.retention_due(actor).await?;
        let total = due.len();
        let mut erased = Vec::with_capacity(total);
        for (done, one) in (1..).zip(due) {
            let request = Erase { reason: ErasureReason::RetentionEnded, override_retention: false };
            match self.erase(actor, &one.customer_id, request).await {
                Ok(()) => erased.push(one),
                Err(EraseError::Absent(_) | EraseError::LegalHold | EraseError::Retention { .. }) => {}
                Err(EraseError::Forbidden(forbidden)) => return Err(forbidden.into()),
                Err(EraseError::Failed(failure)) => return Err(failure.into()),
            }
            progress(done, total);
        }
        Ok(erased)
    }
}
