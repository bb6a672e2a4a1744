//! API keys: made, listed, revoked, and looked up at each request.

use core::net::IpAddr;

use super::{Kyc, PortFailure, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::api_key::{ApiKey, ApiKeyForm, ApiKeySecret, NewApiKey};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::fault::Faults;
use crate::domain::ids::ApiKeyId;
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::store::Write;

/// A key to make, unparsed.
#[derive(Debug, Clone, Default)]
pub struct CreateApiKey {
    /// What it is to be.
    pub form: ApiKeyForm,
    /// What reading the input already found to be wrong.
    pub faults: Faults,
}

/// A key that was made.
#[derive(Debug, Clone)]
pub struct CreatedApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its secret, which is kept nowhere and can't be shown again.
    pub secret: ApiKeySecret,
}

/// Why keys were not made, listed or revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The input has faults; all of them.
    #[error("the input is invalid: {0}")]
    Invalid(Faults),
    /// There is no key with this id.
    #[error("there is no key with this id")]
    NotFound,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// Why nobody is known by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError {
    /// No such key is valid now, from there.
    #[error("no such key is valid")]
    Unknown,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// Makes an API key. Its secret is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        request: CreateApiKey,
    ) -> Result<CreatedApiKey, ApiKeyError> {
        actor.require(Permission::ManageKeys)?;
        let now = self.now();
        let CreateApiKey { form, mut faults } = request;
        let new = match NewApiKey::parse(&form, now) {
            Ok(new) if faults.is_empty() => new,
            Ok(_) => return Err(ApiKeyError::Invalid(faults)),
            Err(more) => {
                faults.merge(more);
                return Err(ApiKeyError::Invalid(faults));
            }
        };
        let secret = ApiKeySecret::new(&Secret::new(self.random().map_err(PortFailure::from)?));
        let NewApiKey { name, role, subject, expires_at, allowed_addresses } = new;
        let key = ApiKey {
            id: ApiKeyId::new(now, self.random().map_err(PortFailure::from)?),
            name,
            subject,
            role,
            digest: secret.digest(),
            allowed_addresses,
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        let event =
            AuditEvent::new(actor, Action::ApiKeyCreated, now).on_key(key.id).because([role.as_str()]);
        let record = self.remember_api_key(key.id, now);
        let writes = vec![Write::InsertApiKey(key.clone())];
        let committed = self.commit_recorded(now, Vec::new(), writes, vec![event], record).await;
        committed.map_err(nothing_guarded)?;
        Ok(CreatedApiKey { key, secret })
    }

    /// All API keys, also those that have ended, newest first.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub async fn api_keys(&self, actor: &Actor) -> Result<Vec<ApiKey>, ApiKeyError> {
        actor.require(Permission::ManageKeys)?;
        Ok(self.ports.store.api_keys().await.map_err(PortFailure::from)?)
    }

    /// Revokes an API key: it is dead at the next request. One that has ended stays as it is.
    ///
    /// # Errors
    /// [`ApiKeyError`].
    pub async fn revoke_api_key(&self, actor: &Actor, id: ApiKeyId) -> Result<(), ApiKeyError> {
        actor.require(Permission::ManageKeys)?;
        let keys = self.ports.store.api_keys().await.map_err(PortFailure::from)?;
        let key = keys.iter().find(|key| key.id == id).ok_or(ApiKeyError::NotFound)?;
        if key.revoked_at.is_some() {
            return Ok(());
        }
        let now = self.now();
        let event = AuditEvent::new(actor, Action::ApiKeyRevoked, now).on_key(id);
        Ok(self.write_alone(vec![Write::RevokeApiKey { id, at: now }], event).await?)
    }

    /// Who presents this secret from this address. What can't be a key costs no look-up.
    ///
    /// # Errors
    /// [`AuthenticateError`].
    pub async fn authenticate(
        &self,
        presented: &Secret<String>,
        address: Option<IpAddr>,
    ) -> Result<ApiKey, AuthenticateError> {
        let secret = ApiKeySecret::parse(presented).ok_or(AuthenticateError::Unknown)?;
        let found = self.ports.store.api_key_by_digest(secret.digest()).await.map_err(PortFailure::from)?;
        found.filter(|key| key.is_valid(self.now(), address)).ok_or(AuthenticateError::Unknown)
    }

    /// Records when keys were last used. For a job that collects the uses of a minute, so that a request
    /// costs no write.
    ///
    /// # Errors
    /// [`PortFailure`] where it could not be recorded.
    pub async fn record_key_uses(
        &self,
        uses: impl IntoIterator<Item = (ApiKeyId, jiff::Timestamp)> + Send,
    ) -> Result<(), PortFailure> {
        let writes: Vec<Write> = uses.into_iter().map(|(id, at)| Write::TouchApiKey { id, at }).collect();
        if writes.is_empty() {
            return Ok(());
        }
        self.commit_alone(self.now(), writes, Vec::new()).await
    }

    /// Commits writes that nothing guards, with their event.
    async fn write_alone(&self, writes: Vec<Write>, event: AuditEvent) -> Result<(), PortFailure> {
        self.commit_alone(event.at, writes, vec![event]).await
    }

    pub(super) async fn commit_alone(
        &self,
        now: jiff::Timestamp,
        writes: Vec<Write>,
        audit: Vec<AuditEvent>,
    ) -> Result<(), PortFailure> {
        self.commit(now, Vec::new(), writes, audit).await.map_err(nothing_guarded)
    }
}

/// Why a changeset without guards was refused: nothing in it can have conflicted.
fn nothing_guarded(refused: Refused) -> PortFailure {
    match refused {
        Refused::Failed(failure) => failure,
        Refused::Conflict(_) => PortFailure::Contended,
    }
}
