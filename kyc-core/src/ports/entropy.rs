//! Randomness.

/// Where ids and jitter come from, so that both are reproducible in a test.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes. An adapter for production MUST use a cryptographically secure
    /// source, since ids must not be guessed.
    ///
    /// # Errors
    /// [`NoEntropy`] where the source fails; `bytes` are then not to be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The source of randomness failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct NoEntropy;
