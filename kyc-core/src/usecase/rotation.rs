//! Rotate and retire the keys that personal data is sealed and found with. The keyring itself is the
//! caller's: here is what may happen to it, and the record of it.

use jiff::{SignedDuration, Timestamp};

use super::{Kyc, PortFailure};
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::store::KeyCount;

/// How long after a version became the current one an older one may not be retired yet: a request that was
/// under way then may still write under the older one. No request and no lease runs for longer.
pub const RETIREMENT_DELAY: SignedDuration = SignedDuration::from_secs(60);

/// Why a key can't be rotated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Customers are under an older version still: finish with [`Kyc::rewrap`] first.
    #[error("{customers} customers are not under the current version yet")]
    Unfinished {
        /// How many.
        customers: u64,
    },
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// Why a version can't be retired now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RetireError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It is the version in use.
    #[error("it is the current version, which is in use: rotate first")]
    Current,
    /// The newer one has not been the current one for long enough.
    #[error(
        "a request that began before the newer version was the current one may still write under it: try \
             again in {seconds} seconds"
    )]
    TooSoon {
        /// How long to wait, in seconds.
        seconds: i64,
    },
    /// Customers have something under it.
    #[error("{customers} customers still need it: rotate first, which puts them under the current version")]
    StillNeeded {
        /// How many.
        customers: u64,
    },
    /// Erased customers are known again by it alone, by what was kept of their ids. It stays for good.
    #[error(
        "the ids of {customers} erased customers are known again by it alone, and can't be put under another: it \
             stays in the keyring"
    )]
    Remembers {
        /// How many.
        customers: u64,
    },
    /// Requests that were made before the newer version was the current one are known again by it alone.
    #[error(
        "requests under idempotency keys are known again by it for a day after they were made: try again in \
             {seconds} seconds"
    )]
    Recalled {
        /// How long to wait, in seconds.
        seconds: i64,
    },
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// How many customers need each version of a key that any of them needs, by version.
    ///
    /// # Errors
    /// [`RotateError`], of which [`RotateError::Unfinished`] is none here.
    pub async fn key_counts(&self, actor: &Actor, of: KeyUse) -> Result<Vec<KeyCount>, RotateError> {
        actor.require(Permission::RotateKeys)?;
        Ok(self.ports.store.key_counts(of).await.map_err(PortFailure::from)?)
    }

    /// Records that `version` is about to be added to the keyring, where it may be: a rotation that was begun
    /// comes to its end first, so that never more than two versions are needed at once. To be called before
    /// the keyring is changed, since what leaves no event must not happen (I6).
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn rotate_key(&self, actor: &Actor, of: KeyUse, version: u32) -> Result<(), RotateError> {
        actor.require(Permission::RotateKeys)?;
        match self.behind(of).await? {
            0 => {
                let event = AuditEvent::new(actor, Action::KeysRotated, self.now());
                Ok(self.witness(event.on_version(of, version)).await?)
            }
            customers => Err(RotateError::Unfinished { customers }),
        }
    }

    /// Whether `version` may be taken out of the keyring: nothing needs it, and nothing that is on its way can
    /// come to need it. `current_since` is when the current version became that.
    ///
    /// # Errors
    /// [`RetireError`].
    pub async fn may_retire(
        &self,
        actor: &Actor,
        of: KeyUse,
        version: u32,
        current_since: Timestamp,
    ) -> Result<(), RetireError> {
        actor.require(Permission::RotateKeys)?;
        if version == self.ports.cipher.current_versions().of(of) {
            return Err(RetireError::Current);
        }
        let since = self.now().duration_since(current_since);
        // A time to come says nothing: whoever wrote the keyring by hand may have written any.
        if !since.is_negative() && since < RETIREMENT_DELAY {
            return Err(RetireError::TooSoon { seconds: seconds_up(RETIREMENT_DELAY - since) });
        }
        let counts = self.ports.store.key_counts(of).await.map_err(PortFailure::from)?;
        if let Some(KeyCount { customers, .. }) = counts.into_iter().find(|count| count.version == version) {
            return Err(RetireError::StillNeeded { customers });
        }
        match of {
            KeyUse::Fingerprint if !since.is_negative() && since < Self::RECALLED_FOR + RETIREMENT_DELAY => {
                // What was recorded since then has an entry under the current version too.
                let first = self.ports.store.next_expiry().await.map_err(PortFailure::from)?;
                let recorded_at = first.and_then(|at| at.checked_sub(Self::RECALLED_FOR).ok());
                if recorded_at.is_some_and(|at| at.duration_since(current_since) < RETIREMENT_DELAY) {
                    let seconds = seconds_up(Self::RECALLED_FOR + RETIREMENT_DELAY - since);
                    return Err(RetireError::Recalled { seconds });
                }
            }
            KeyUse::Fingerprint | KeyUse::Master => {}
        }
        if of == KeyUse::Fingerprint {
            let erased = self.ports.store.erased_key_counts().await.map_err(PortFailure::from)?;
            if let Some(KeyCount { customers, .. }) =
                erased.into_iter().find(|count| count.version == version)
            {
                return Err(RetireError::Remembers { customers });
            }
        }
        Ok(())
    }

    /// Records that `version` is about to be taken out of the keyring, where it may be ([`Kyc::may_retire`]).
    /// To be called before the keyring is changed.
    ///
    /// # Errors
    /// [`RetireError`].
    pub async fn retire_key(
        &self,
        actor: &Actor,
        of: KeyUse,
        version: u32,
        current_since: Timestamp,
    ) -> Result<(), RetireError> {
        actor.require(Permission::RotateKeys)?;
        self.may_retire(actor, of, version, current_since).await?;
        let event = AuditEvent::new(actor, Action::KeysRetired, self.now()).on_version(of, version);
        Ok(self.witness(event).await?)
    }
}

/// In whole seconds, and no less.
fn seconds_up(wait: SignedDuration) -> i64 {
    wait.as_secs() + i64::from(wait.subsec_nanos() > 0)
}
