//! Read the status: "is this person verified, and if not, why?"

use jiff::Timestamp;

use super::absence::Absence;
use super::sealing::{Place, open};
use super::{Kyc, PortFailure};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::ids::{CustomerId, ProviderName, VerificationId};
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::status::Status;
use crate::ports::cipher::CipherError;
use crate::ports::store::Standing;

/// Where a customer stands, and the latest verification. It holds no personal data but the link.
#[derive(Debug, Clone, PartialEq)]
pub struct KycStatus {
    /// The caller's id.
    pub customer_id: CustomerId,
    /// Where the customer stands, at the time of the read.
    pub status: Status,
    /// The latest verification.
    pub verification: VerificationId,
    /// The provider that was asked.
    pub provider: ProviderName,
    /// When the provider took the submission.
    pub submitted_at: Option<Timestamp>,
    /// When the present status was decided; none while pending.
    pub decided_at: Option<Timestamp>,
    /// When a worker takes the verification next; none once it has ended.
    pub next_attempt_at: Option<Timestamp>,
    /// What did not fit.
    pub discrepancies: Vec<Discrepancy>,
    /// The page of the provider that the customer has to visit, where there is one.
    pub link: Option<Secret<String>>,
    /// When anything last changed.
    pub updated_at: Timestamp,
}

/// Why a status could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
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
    /// The customer's status with the latest verification and its discrepancies. It opens no personal data
    /// and costs no write, unless the customer's link was altered.
    ///
    /// # Errors
    /// [`StatusError`].
    pub async fn status(&self, actor: &Actor, id: &CustomerId) -> Result<KycStatus, StatusError> {
        actor.require(Permission::ReadStatus)?;
        let standing = self.found::<_, StatusError>(id, self.ports.store.standing(id).await).await?;
        let Standing { row, latest } = standing;
        let link = match &latest.link {
            None => None,
            Some(sealed) => {
                let place = Place::Link(latest.id);
                let opened = open(&*self.ports.cipher, &row, place, sealed);
                let text = opened.and_then(|bytes| {
                    String::from_utf8(bytes.expose().clone()).map_err(|_| CipherError::Unreadable)
                });
                match text {
                    Ok(text) => Some(Secret::new(text)),
                    Err(error) => return Err(self.alarm(actor, row.subject, error).await.into()),
                }
            }
        };
        let status = row.status.at(self.now());
        Ok(KycStatus {
            customer_id: row.customer_id,
            status,
            verification: latest.id,
            provider: latest.provider,
            submitted_at: latest.submitted_at,
            // A decision that has run out is none.
            decided_at: row.decided_at.filter(|_| status == row.status),
            next_attempt_at: latest.due_at,
            discrepancies: latest.discrepancies,
            link,
            updated_at: row.updated_at,
        })
    }
}
