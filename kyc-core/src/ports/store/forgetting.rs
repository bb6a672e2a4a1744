//! What a store keeps of somebody who is erased here, until each provider has forgotten the person too.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::domain::ids::{ProviderName, SubjectId, VerificationId};
use crate::ports::cipher::{Sealed, WrappedKey};

/// A provider that is still to be asked to forget what it holds of one verification.
///
/// The person's data key is gone by then, so the provider's own ids are sealed under a key of this row's own, and go
/// with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgetting {
    /// The verification, which is no more.
    pub verification: VerificationId,
    /// Whose it was.
    pub subject: SubjectId,
    /// Who is asked.
    pub provider: ProviderName,
    /// The row's own key, wrapped and bound to the subject.
    pub key: WrappedKey,
    /// Where the verification stood at the provider, sealed; none where nothing was kept of it.
    pub progress: Option<Sealed>,
    /// When the person was erased.
    pub erased_at: Timestamp,
    /// How often the provider was asked and has not done it.
    pub failures: u32,
    /// When it is asked next.
    pub due_at: Timestamp,
}

/// Reads of what providers are still to forget.
#[async_trait]
pub trait ForgettingReads: Send + Sync {
    /// Those that are due at `now`, earliest first, at most `limit`.
    async fn due_forgettings(&self, now: Timestamp, limit: u32) -> Result<Vec<Forgetting>, StoreError>;

    /// All of them behind that of a verification (none: from the first one on), by [`VerificationId`], at most
    /// `limit`.
    async fn forgettings(
        &self,
        after: Option<VerificationId>,
        limit: u32,
    ) -> Result<Vec<Forgetting>, StoreError>;
}
