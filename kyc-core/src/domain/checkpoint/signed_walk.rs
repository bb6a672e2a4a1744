//! The walk of a chain that checkpoints were signed of.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::Checkpoint;
use crate::domain::audit::{ChainFault, ChainWalk, ChainedEvent};

/// Walks a whole chain and holds every checkpoint against it.
#[derive(Debug)]
pub struct SignedWalk {
    walk: ChainWalk,
    checkpoints: Peekable<IntoIter<Checkpoint>>,
    /// The size of the last checkpoint that fits.
    fits: u64,
}

impl SignedWalk {
    /// A walk from the first event on, with checkpoints in any order. Without any it is a [`ChainWalk`].
    #[must_use]
    pub fn new(mut checkpoints: Vec<Checkpoint>) -> Self {
        checkpoints.sort_by_key(|checkpoint| checkpoint.size);
        Self { walk: ChainWalk::default(), checkpoints: checkpoints.into_iter().peekable(), fits: 0 }
    }

    /// Checks that `event` is the next one, and that it is the one that was signed.
    ///
    /// # Errors
    /// [`ChainFault`] names the first event that is not as it was committed, or the events among which it is.
    pub fn step(&mut self, event: &ChainedEvent) -> Result<(), ChainFault> {
        self.compare()?;
        self.walk.step(event)?;
        self.compare()
    }

    /// Ends the walk where the chain ends.
    ///
    /// # Errors
    /// [`ChainFault::Cut`] where more was signed.
    pub fn end(mut self) -> Result<ChainWalk, ChainFault> {
        self.compare()?;
        match self.checkpoints.next_back() {
            None => Ok(self.walk),
            Some(newest) => Err(ChainFault::Cut { last: self.walk.sequence(), size: newest.size }),
        }
    }

    fn compare(&mut self) -> Result<(), ChainFault> {
        let size = self.walk.sequence();
        while let Some(checkpoint) = self.checkpoints.next_if(|checkpoint| checkpoint.size == size) {
            if checkpoint.head != self.walk.head() {
                return Err(ChainFault::Rewritten { after: self.fits, size });
            }
            self.fits = size;
        }
        Ok(())
    }
}
