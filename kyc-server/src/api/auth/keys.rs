//! The keys of the service: the operator's own, and those that are kept in the store.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::ids::ApiKeyId;
use kyc_core::ports::Clock;
use kyc_core::usecase::AuthenticateError;
use kyc_core::{Kyc, Secret};

use super::{Authenticate, BootstrapKey, NotAuthenticated};

/// Looks up who holds a key, and remembers when keys were used until [`Keys::record_uses`].
pub struct Keys {
    bootstrap: BootstrapKey,
    kyc: Kyc,
    clock: Arc<dyn Clock>,
    // As many as there are keys: what is not a key is not remembered.
    uses: Mutex<HashMap<ApiKeyId, Timestamp>>,
}

impl Keys {
    /// The operator's key, and those that `kyc` knows.
    #[must_use]
    pub fn new(bootstrap: BootstrapKey, kyc: Kyc, clock: Arc<dyn Clock>) -> Self {
        Self { bootstrap, kyc, clock, uses: Mutex::default() }
    }

    /// Writes down when keys were used since the last call, so that no request pays for it.
    pub async fn record_uses(&self) {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(failure) = self.kyc.record_key_uses(uses).await {
            tracing::warn!(%failure, "when keys were last used could not be recorded");
        }
    }
}

#[async_trait]
impl Authenticate for Keys {
    async fn authenticate(
        &self,
        presented: &Secret<String>,
        address: Option<IpAddr>,
    ) -> Result<Actor, NotAuthenticated> {
        if let Some(operator) = self.bootstrap.holder(presented) {
            return Ok(operator);
        }
        match self.kyc.authenticate(presented, address).await {
            Ok(key) => {
                let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
                uses.insert(key.id, self.clock.now());
                Ok(Actor::of_key(&key))
            }
            Err(AuthenticateError::Unknown) => Err(NotAuthenticated::Unknown),
            Err(AuthenticateError::Failed(failure)) => {
                tracing::error!(%failure, "keys can't be looked up");
                Err(NotAuthenticated::Unavailable)
            }
        }
    }
}
