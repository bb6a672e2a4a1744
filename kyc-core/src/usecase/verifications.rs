//! Read the verifications: "what was tried, where, and what came of it?"

use super::absence::Absence;
use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::verification::Verification;

/// Why the verifications could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerificationsError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no customer with this id, or no more.
    #[error(transparent)]
    Absent(#[from] Absence),
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// All verifications of a customer, newest first.
    ///
    /// # Errors
    /// [`VerificationsError`].
    pub async fn verifications(
        &self,
        actor: &Actor,
        id: &CustomerId,
    ) -> Result<Vec<Verification>, VerificationsError> {
        actor.require(Permission::ReadStatus)?;
        let record = self.found::<_, VerificationsError>(id, self.ports.store.standing(id).await).await?;
        let all = self.ports.store.verifications(record.row.subject).await;
        Ok(all.map_err(PortFailure::from)?)
    }
}
