//! A reproducible stream of bytes in place of randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::ports::Entropy;
use crate::ports::entropy::NoEntropy;

/// Bytes that look random and are the same in every run: `SplitMix64` (Steele, Lea, Flood, "Fast splittable
/// pseudorandom number generators", 2014) from a seed. Clones draw from one stream.
///
/// ```
/// use kyc_core::fakes::FakeEntropy;
/// use kyc_core::ports::Entropy;
///
/// let (mut first, mut again) = ([0; 10], [0; 10]);
/// FakeEntropy::seeded(7).fill(&mut first)?;
/// FakeEntropy::seeded(7).fill(&mut again)?;
/// assert_eq!(first, again);
/// # Ok::<(), kyc_core::ports::entropy::NoEntropy>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FakeEntropy {
    state: Arc<AtomicU64>,
    failing: Arc<AtomicBool>,
}

impl FakeEntropy {
    /// The stream of seed 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The stream of a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { state: Arc::new(AtomicU64::new(seed)), ..Self::default() }
    }

    /// Whether every call from now on fails.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.state.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for FakeEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(NoEntropy);
        }
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next().to_be_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_published_generator() {
        // The first value of SplitMix64 from seed 0, as its authors' C code prints it.
        assert_eq!(FakeEntropy::new().next(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn clones_draw_from_one_stream_and_fail_together() {
        let entropy = FakeEntropy::new();
        let clone = entropy.clone();
        assert_ne!(entropy.next(), clone.next());
        clone.set_failing(true);
        assert_eq!(entropy.fill(&mut [0; 4]), Err(NoEntropy));
        entropy.set_failing(false);
        assert_eq!(clone.fill(&mut [0; 4]), Ok(()));
    }
}
