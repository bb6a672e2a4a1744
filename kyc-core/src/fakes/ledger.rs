//! An erasure ledger in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::lock;
use crate::domain::erasure::Erasure;
use crate::ports::ErasureLedger;
use crate::ports::ledger::LedgerError;

/// An [`ErasureLedger`] that keeps its entries in memory, and can be told to fail. Clones share what it holds.
///
/// ```
/// use futures_util::FutureExt;
/// use kyc_core::fakes::MemoryLedger;
/// use kyc_core::ports::ErasureLedger;
/// use kyc_core::ports::ledger::LedgerError;
///
/// let ledger = MemoryLedger::new();
/// assert_eq!(ledger.entries().now_or_never(), Some(Ok(vec![])));
/// ledger.fail_with(Some(LedgerError::Unavailable));
/// assert_eq!(ledger.clone().append(&[]).now_or_never(), Some(Err(LedgerError::Unavailable)));
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<Erasure>,
    failure: Option<LedgerError>,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every read and write fail, until it is told otherwise with `None`.
    pub fn fail_with(&self, failure: Option<LedgerError>) {
        lock(&self.0).failure = failure;
    }
}

#[async_trait]
impl ErasureLedger for MemoryLedger {
    async fn append(&self, erasures: &[Erasure]) -> Result<(), LedgerError> {
        let mut inner = lock(&self.0);
        if let Some(failure) = inner.failure {
            return Err(failure);
        }
        inner.entries.extend_from_slice(erasures);
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<Erasure>, LedgerError> {
        let inner = lock(&self.0);
        inner.failure.map_or_else(|| Ok(inner.entries.clone()), Err)
    }
}
