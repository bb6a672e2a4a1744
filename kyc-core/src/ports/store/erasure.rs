//! What a store tells of keeping and erasing people.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::StoreError;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{CustomerId, SubjectId};
use crate::ports::cipher::{Fingerprint, Sealed};

/// One version of a customer's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Which one, from 1.
    pub version: u32,
    /// The data.
    pub data: Sealed,
    /// When it was stored.
    pub at: Timestamp,
}

/// A customer whose relationship has ended and who is under no legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRelationship {
    /// When it ended.
    pub ended_on: Date,
    /// Our own id.
    pub subject: SubjectId,
    /// The caller's id.
    pub customer_id: CustomerId,
}

/// Reads of what is kept, and of what is no more.
#[async_trait]
pub trait ErasureReads: Send + Sync {
    /// The erasure of the customer whose id had one of these fingerprints. It MUST be found by an index, and
    /// MUST see every commit that was answered before the call.
    async fn erasure(&self, fingerprints: &[Fingerprint]) -> Result<Option<Erasure>, StoreError>;

    /// Erasures behind that of a subject (none: from the first one on), by [`SubjectId`], at most `limit`.
    async fn erasures(&self, after: Option<SubjectId>, limit: u32) -> Result<Vec<Erasure>, StoreError>;

    /// Every version of a customer's data, oldest first.
    async fn versions(&self, subject: SubjectId) -> Result<Vec<VersionRow>, StoreError>;

    /// Customers under no legal hold whose relationship ended on or before `before`, by that day and then
    /// by [`SubjectId`], behind `after`, at most `limit`. It MUST NOT cost more than it returns.
    async fn retention_due(
        &self,
        before: Date,
        after: Option<(Date, SubjectId)>,
        limit: u32,
    ) -> Result<Vec<EndedRelationship>, StoreError>;
}
