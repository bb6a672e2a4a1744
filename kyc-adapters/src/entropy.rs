//! The random source of the operating system.

use kyc_core::ports::Entropy;
use kyc_core::ports::entropy::NoEntropy;
use ring::rand::{SecureRandom, SystemRandom};

/// Random bytes from the operating system (`getrandom` on Linux), which seeds itself and is safe for keys.
#[derive(Debug, Clone)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// A handle to the source; it holds nothing and costs nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.fill(bytes).map_err(|_| NoEntropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_holds() {
        kyc_core::contract::entropy::all(&SystemEntropy::new());
    }
}
