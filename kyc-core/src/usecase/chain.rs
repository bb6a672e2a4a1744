//! Read the audit chain page by page, to walk it: "is the log as it was committed?"
//!
//! These are functions over a store's reads and not methods of [`Kyc`](super::Kyc): whoever verifies a log has
//! its database and no API key, and learns nothing from it that the database does not hold in the clear.

use crate::domain::audit::{AuditHash, ChainFault, ChainWalk, ChainedEvent};
use crate::domain::checkpoint::{Checkpoint, SignedWalk};
use crate::ports::store::{AuditReads, StoreError};

/// How many events are read at once.
const PAGE: u32 = 1000;

/// Why a chain could not be walked to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It is not as it was committed.
    #[error(transparent)]
    Fault(#[from] ChainFault),
    /// The store can't be read now.
    #[error("the events can't be read now: {0}")]
    Store(StoreError),
}

/// The events of a chain, a page at a time.
pub struct ChainPages<'a> {
    reads: &'a dyn AuditReads,
    after: u64,
    last: u64,
}

impl<'a> ChainPages<'a> {
    /// The events after the one at `after`, up to the one that is the last now.
    ///
    /// # Errors
    /// [`ChainError`] where the last event can't be found, or something stands before the first.
    pub async fn after(reads: &'a dyn AuditReads, after: u64) -> Result<Self, ChainError> {
        // Rows before the first event are no part of the chain, and would be shown by lists all the same.
        match reads.audit_events_before(None, Some(1), 1).await {
            Ok(none) if none.is_empty() => {}
            Ok(_) | Err(StoreError::Corrupt) => {
                return Err(ChainFault::OutOfPlace { expected: 1, found: 0 }.into());
            }
            Err(error) => return Err(ChainError::Store(error)),
        }
        let last = match last_event(reads).await {
            Ok(last) => last,
            // It is come by in its place, where its number is known.
            Err(StoreError::Corrupt) => u64::MAX,
            Err(error) => return Err(ChainError::Store(error)),
        };
        Ok(Self { reads, after, last })
    }

    /// The sequence of the last event to be read; 0 where there is none.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The next page; an empty one at the end.
    ///
    /// # Errors
    /// [`ChainFault::Unreadable`] for an event that can't be read, once all before it were returned.
    pub async fn next(&mut self) -> Result<Vec<ChainedEvent>, ChainError> {
        let mut page = match self.reads.audit_events(self.after, PAGE).await {
            // One of them can't be read: one by one it is found which.
            Err(StoreError::Corrupt) => self.reads.audit_events(self.after, 1).await,
            read => read,
        }
        .map_err(|error| match error {
            StoreError::Corrupt => ChainFault::Unreadable { sequence: self.after + 1 }.into(),
            StoreError::Overloaded | StoreError::Unavailable => ChainError::Store(error),
        })?;
        page.retain(|event| event.sequence <= self.last);
        if let Some(event) = page.last() {
            self.after = event.sequence;
        }
        Ok(page)
    }
}

/// The sequence of the last event; 0 where there is none.
///
/// # Errors
/// The store's own.
pub async fn last_event(reads: &dyn AuditReads) -> Result<u64, StoreError> {
    let newest = reads.audit_events_before(None, None, 1).await?;
    Ok(newest.first().map_or(0, |event| event.sequence))
}

/// Walks the whole chain, from the first event on, and holds checkpoints against it. `progress` is told how
/// many events are done, of how many.
///
/// # Errors
/// [`ChainError`] names the first fault.
pub async fn walk_all(
    reads: &dyn AuditReads,
    checkpoints: Vec<Checkpoint>,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<ChainWalk, ChainError> {
    let mut pages = ChainPages::after(reads, 0).await?;
    let mut walk = SignedWalk::new(checkpoints);
    loop {
        let page = pages.next().await?;
        let Some(last) = page.last() else { return Ok(walk.end()?) };
        for event in &page {
            walk.step(event)?;
        }
        progress(last.sequence, pages.last());
    }
}

/// Walks on from where `walk` stands to the event that is the last now. That the event at which it stands is
/// still there is looked at first. On an error the walk stands at the last event that is right.
///
/// # Errors
/// [`ChainError`] names what is wrong.
pub async fn walk_on(reads: &dyn AuditReads, walk: &mut ChainWalk) -> Result<(), ChainError> {
    let mut pages = ChainPages::after(reads, walk.sequence()).await?;
    stands(reads, walk, pages.last()).await?;
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        for event in &page {
            walk.step(event)?;
        }
    }
}

/// Checks that the event at which a walk stands is in the store as it was.
async fn stands(reads: &dyn AuditReads, walk: &ChainWalk, last: u64) -> Result<(), ChainError> {
    let size = walk.sequence();
    let Some(before) = size.checked_sub(1) else {
        let is_origin = walk.head() == AuditHash::ORIGIN;
        return if is_origin { Ok(()) } else { Err(ChainFault::Rewritten { after: 0, size }.into()) };
    };
    if last < size {
        return Err(ChainFault::Cut { last, size }.into());
    }
    let fault = match reads.audit_events(before, 1).await.as_deref() {
        Ok([event]) if event.sequence == size && event.hash == walk.head() => return Ok(()),
        Ok([event]) if event.sequence == size => ChainFault::Rewritten { after: 0, size },
        Ok([event, ..]) => ChainFault::OutOfPlace { expected: size, found: event.sequence },
        Ok([]) => ChainFault::Cut { last: before, size },
        Err(StoreError::Corrupt) => ChainFault::Unreadable { sequence: size },
        Err(error) => return Err(ChainError::Store(*error)),
    };
    Err(fault.into())
}

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;
