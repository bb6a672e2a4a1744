//! Why there is no customer of an id: never, or no more. Asked only where the customer was not found, so that
//! a request that finds somebody costs nothing for it.

use super::sealing::id_fingerprints;
use super::{Kyc, PortFailure};
use crate::domain::ids::CustomerId;
use crate::ports::store::StoreError;

/// There is no customer of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// There never was one.
    #[error("there is no customer with this id")]
    NotFound,
    /// The customer was erased.
    #[error("the customer with this id was erased")]
    Erased,
}

impl Kyc {
    /// What a read of a customer found, or why there is nothing.
    pub(super) async fn found<T: Send, E: From<Absence> + From<PortFailure>>(
        &self,
        id: &CustomerId,
        read: Result<Option<T>, StoreError>,
    ) -> Result<T, E> {
        if let Some(found) = read.map_err(PortFailure::from)? {
            return Ok(found);
        }
        let fingerprints = id_fingerprints(&*self.ports.cipher, id);
        let erasure = self.ports.store.erasure(&fingerprints).await.map_err(PortFailure::from)?;
        Err(if erasure.is_some() { Absence::Erased.into() } else { Absence::NotFound.into() })
    }
}
