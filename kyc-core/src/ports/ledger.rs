//! The erasure ledger: what tells a database that was restored whom it must not hold any more.

use async_trait::async_trait;

use crate::domain::erasure::Erasure;

/// A list of erasures that is kept apart from the store, so that a restored backup of the store can't bring
/// anybody back. It holds no personal data: only what [`Erasure`] has.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ErasureLedger: Send + Sync {
    /// Adds entries at the end. It MUST return only when they would survive the loss of the process and of
    /// power. Where it fails, some of them may be there; one that is there twice means the same as once.
    async fn append(&self, erasures: &[Erasure]) -> Result<(), LedgerError>;

    /// Every entry, in order. An entry whose writing was cut off MUST NOT hide those before it, nor those that
    /// are added later.
    async fn entries(&self) -> Result<Vec<Erasure>, LedgerError>;
}

/// Why the ledger can't serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It can't be read or written now.
    #[error("the erasure ledger can't be read or written")]
    Unavailable,
    /// An entry that is not the last one can't be read.
    #[error("the erasure ledger is damaged at entry {entry}: put back a good copy of it")]
    Damaged {
        /// Which entry, from 1.
        entry: usize,
    },
}
