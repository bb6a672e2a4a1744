//! Start again where a decision has run out: a job.

use super::change::has_run_out;
use super::{Kyc, PortFailure, Refused};
use crate::domain::actor::Actor;
use crate::domain::verification::Cause;

impl Kyc {
    /// Queues the next verification of verified customers whose decision has run out, at most `limit`.
    /// Returns how many were queued; call again while it is `limit`.
    ///
    /// # Errors
    /// [`PortFailure`] where a port failed; those queued before stay queued.
    pub async fn renew_expired(&self, limit: u32) -> Result<u32, PortFailure> {
        let actor = Actor::system("renewal");
        let mut renewed = 0;
        for id in self.ports.store.expired_customers(self.now(), limit).await? {
            let now = self.now();
            let Some(record) = self.ports.store.customer(&id).await? else { continue };
            if !has_run_out(record.row.status, now) {
                continue;
            }
            let next = self.next_verification(&record.row, Cause::Expiry, now).await?;
            match self.queue_next(&actor, &record, next, now).await {
                Ok(()) => renewed += 1,
                // Somebody else was first; the next round looks again.
                Err(Refused::Conflict(_)) => {}
                Err(Refused::Failed(failure)) => return Err(failure),
            }
        }
        Ok(renewed)
    }
}
