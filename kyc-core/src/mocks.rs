//! `mockall` mocks of every port, for tests that say call by call what is expected.
//!
//! Most tests read better with the fakes (feature `fakes`); a mock is for the call that must not be made, or
//! the answer that no fake gives.
//!
//! ```
//! use std::sync::Arc;
//! use futures_util::FutureExt;
//! use kyc_core::mocks::MockStore;
//! use kyc_core::ports::Store;
//! use kyc_core::ports::store::StoreError;
//!
//! let mut store = MockStore::new();
//! store.expect_ready().once().returning(|| Err(StoreError::Unavailable));
//! store.expect_commit().never();
//!
//! let store: Arc<dyn Store> = Arc::new(store);
//! assert_eq!(store.ready().now_or_never(), Some(Err(StoreError::Unavailable)));
//! ```

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::api_key::ApiKey;
use crate::domain::audit::ChainedEvent;
use crate::domain::erasure::Erasure;
use crate::domain::ids::{CustomerId, DocumentId, SubjectId, VerificationId};
use crate::domain::key_use::KeyUse;
use crate::domain::report::{DayCount, Range as DayRange};
use crate::domain::verification::Verification;
use crate::ports::cipher::{Fingerprint, Sealed};
use crate::ports::store::{
    ApiKeyReads, AuditReads, Changeset, Claim, Claimed, CommitError, CustomerFilter, CustomerReads,
    CustomerRecord, DocumentReads, DocumentRow, EndedRelationship, ErasureReads, Forgetting, ForgettingReads,
    IdempotencyReads, KeyCount, KeyReads, PageRequest, Queue, Recorded, ReportReads, Sharing, Standing,
    Store, StoreError, Upload, VerificationReads, VerificationRecord, VersionRow,
};

pub use crate::ports::cipher::MockCipher;
pub use crate::ports::clock::MockClock;
pub use crate::ports::entropy::MockEntropy;
pub use crate::ports::ledger::MockErasureLedger;
pub use crate::ports::provider::MockIdentityProvider;

mockall::mock! {
    /// A mock of the whole [`Store`].
    pub Store {}

    #[async_trait]
    impl CustomerReads for Store {
        async fn customer(&self, id: &CustomerId) -> Result<Option<CustomerRecord>, StoreError>;
        async fn standing(&self, id: &CustomerId) -> Result<Option<Standing>, StoreError>;
        async fn customers(
            &self,
            filter: CustomerFilter,
            page: PageRequest,
        ) -> Result<Vec<CustomerRecord>, StoreError>;
        async fn customers_by_fingerprints(
            &self,
            fingerprints: &[Fingerprint],
            limit: u32,
        ) -> Result<Vec<CustomerRecord>, StoreError>;
        async fn sharing(
            &self,
            fingerprints: &[Fingerprint],
            except: SubjectId,
            limit: u32,
        ) -> Result<Vec<Sharing>, StoreError>;
        async fn expired_customers(&self, now: Timestamp, limit: u32) -> Result<Vec<CustomerId>, StoreError>;
    }

    #[async_trait]
    impl VerificationReads for Store {
        async fn verification(&self, id: VerificationId) -> Result<Option<VerificationRecord>, StoreError>;
        async fn verification_by_reference(
            &self,
            reference: [u8; 32],
        ) -> Result<Option<VerificationRecord>, StoreError>;
        async fn verifications(&self, subject: SubjectId) -> Result<Vec<Verification>, StoreError>;
        async fn answer(&self, id: VerificationId) -> Result<Option<Sealed>, StoreError>;
        async fn next_due(&self, queue: Queue) -> Result<Option<Timestamp>, StoreError>;
    }

    #[async_trait]
    impl ReportReads for Store {
        async fn counts(&self, range: DayRange) -> Result<Vec<DayCount>, StoreError>;
    }

    #[async_trait]
    impl AuditReads for Store {
        async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError>;
        async fn audit_events_before(
            &self,
            subject: Option<SubjectId>,
            before: Option<u64>,
            limit: u32,
        ) -> Result<Vec<ChainedEvent>, StoreError>;
        async fn customer_ids(
            &self,
            subjects: &[SubjectId],
        ) -> Result<Vec<(SubjectId, CustomerId)>, StoreError>;
    }

    #[async_trait]
    impl ApiKeyReads for Store {
        async fn api_key_by_digest(&self, digest: [u8; 32]) -> Result<Option<ApiKey>, StoreError>;
        async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    }

    #[async_trait]
    impl IdempotencyReads for Store {
        async fn recorded(&self, key: [u8; 32]) -> Result<Option<Recorded>, StoreError>;
        async fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError>;
    }

    #[async_trait]
    impl ErasureReads for Store {
        async fn erasure(&self, fingerprints: &[Fingerprint]) -> Result<Option<Erasure>, StoreError>;
        async fn erasures(&self, after: Option<SubjectId>, limit: u32) -> Result<Vec<Erasure>, StoreError>;
        async fn versions(&self, subject: SubjectId) -> Result<Vec<VersionRow>, StoreError>;
        async fn retention_due(
            &self,
            before: Date,
            after: Option<(Date, SubjectId)>,
            limit: u32,
        ) -> Result<Vec<EndedRelationship>, StoreError>;
    }

    #[async_trait]
    impl ForgettingReads for Store {
        async fn due_forgettings(&self, now: Timestamp, limit: u32) -> Result<Vec<Forgetting>, StoreError>;
        async fn forgettings(
            &self,
            after: Option<VerificationId>,
            limit: u32,
        ) -> Result<Vec<Forgetting>, StoreError>;
    }

    #[async_trait]
    impl KeyReads for Store {
        async fn key_counts(&self, of: KeyUse) -> Result<Vec<KeyCount>, StoreError>;
        async fn fingerprinted_otherwise(
            &self,
            subjects: &[SubjectId],
            current: u32,
        ) -> Result<Vec<SubjectId>, StoreError>;
        async fn erased_key_counts(&self) -> Result<Vec<KeyCount>, StoreError>;
    }

    #[async_trait]
    impl DocumentReads for Store {
        async fn documents(&self, subject: SubjectId) -> Result<Vec<DocumentRow>, StoreError>;
        async fn chunk(&self, document: DocumentId, index: u32) -> Result<Option<Sealed>, StoreError>;
        async fn oldest_upload(&self) -> Result<Option<Timestamp>, StoreError>;
    }

    #[async_trait]
    impl Store for Store {
        async fn commit(&self, changeset: Changeset) -> Result<(), CommitError>;
        async fn stage(&self, upload: Upload) -> Result<(), CommitError>;
        async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError>;
        async fn ready(&self) -> Result<(), StoreError>;
    }
}
