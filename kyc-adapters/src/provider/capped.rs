//! Caps on the calls of a provider: how many at once, and how many a minute.
//!
//! A call that can't be made now waits, but not for long, since its caller holds a lease; else it is held back until
//! a turn of its own: who is held back comes back one by one, as the caps allow, and not together. A thousand
//! verifications behind a cap are therefore put off about once each, and not once a second.

#[cfg(test)]
mod tests;
mod turns;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};
use kyc_core::ports::{Clock, IdentityProvider};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use self::turns::{Queue, Turns, until};

/// What a provider is asked at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Calls at once; none: any number.
    pub concurrency: Option<NonZeroU32>,
    /// Calls in a minute; none: any number. Two seconds' worth of them may be made at once.
    pub per_minute: Option<NonZeroU32>,
    /// How long a call may wait for its turn. Together with the time-out of the adapter it must stay under the eight
    /// seconds that a step may take.
    pub patience: Duration,
}

impl Caps {
    /// How long a call waits for its turn, where nothing else is set.
    pub const PATIENCE: Duration = Duration::from_secs(1);

    /// Whether nothing is capped.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.concurrency.is_none() && self.per_minute.is_none()
    }
}

impl Default for Caps {
    /// No caps.
    fn default() -> Self {
        Self { concurrency: None, per_minute: None, patience: Self::PATIENCE }
    }
}

/// A provider whose calls are capped. Callbacks are read as they come, since they cost the provider nothing.
pub struct Capped {
    provider: Arc<dyn IdentityProvider>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    places: Option<Places>,
    queue: Option<Mutex<Queue>>,
}

/// The places for calls at once.
struct Places {
    semaphore: Semaphore,
    count: NonZeroU32,
    turns: Mutex<Turns>,
    /// How long a call takes, of late.
    taken: Mutex<Duration>,
}

/// A place that a call has.
struct Place<'a> {
    of: &'a Places,
    begun: Timestamp,
    _permit: SemaphorePermit<'a>,
}

impl Capped {
    /// Caps the calls of a provider. It needs a tokio runtime with a timer.
    #[must_use]
    pub fn new(provider: Arc<dyn IdentityProvider>, caps: Caps, clock: Arc<dyn Clock>) -> Self {
        let Caps { concurrency, per_minute, patience } = caps;
        let queue = per_minute.map(|rate| Mutex::new(Queue::of(rate, patience)));
        Self { provider, clock, patience, places: concurrency.map(Places::new), queue }
    }

    /// Waits for the turn of a call, or says when to come back. Where the call is held back, its place is free again.
    async fn admit(&self, of: VerificationId) -> Result<Option<Place<'_>>, ProviderError> {
        let begun = self.clock.now();
        let place = match &self.places {
            None => None,
            Some(places) => Some(places.take(self.patience, &*self.clock).await?),
        };
        let Some(queue) = &self.queue else { return Ok(place) };
        let now = self.clock.now();
        let left = self.patience.saturating_sub(until(now, begun));
        let wait = lock(queue).wait(of, now, left);
        let wait = wait.map_err(|retry_after| ProviderError::HeldBack { retry_after })?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        Ok(place)
    }

    fn end(&self, place: Option<Place<'_>>) {
        if let Some(place) = place {
            place.of.note(until(self.clock.now(), place.begun));
        }
    }
}

impl Places {
    /// How long a call is thought to take before the first has ended.
    const FIRST_GUESS: Duration = Duration::from_millis(500);
    /// The least time after which one that was held back comes back.
    const LEAST: Duration = Duration::from_millis(250);

    /// The longest, also where a clock was set back.
    const MOST: Duration = Duration::from_hours(1);

    fn new(count: NonZeroU32) -> Self {
        let permits = usize::try_from(count.get()).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let semaphore = Semaphore::new(permits);
        Self { semaphore, count, turns: Mutex::default(), taken: Mutex::new(Self::FIRST_GUESS) }
    }

    async fn take(&self, patience: Duration, clock: &dyn Clock) -> Result<Place<'_>, ProviderError> {
        let permit = match self.semaphore.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) if patience.is_zero() => None,
            Err(_) => timeout(patience, self.semaphore.acquire()).await.ok().and_then(Result::ok),
        };
        let now = clock.now();
        if let Some(permit) = permit {
            return Ok(Place { of: self, begun: now, _permit: permit });
        }
        // As many come back at a time as places have become free by then.
        let interval = *lock(&self.taken) / self.count.get();
        let turn = lock(&self.turns).take_within(now, interval, Self::MOST);
        let retry_after = until(turn, now).max(Self::LEAST);
        Err(ProviderError::HeldBack { retry_after })
    }

    fn note(&self, taken: Duration) {
        let mut average = lock(&self.taken);
        *average = (*average * 7 + taken) / 8;
    }
}

/// What is kept is whole between any two statements, so a panic elsewhere has not spoilt it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Capped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capped").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for Capped {
    fn name(&self) -> ProviderName {
        self.provider.name()
    }

    fn discloses(&self) -> Vec<Field> {
        self.provider.discloses()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let place = self.admit(submission.verification).await?;
        let result = self.provider.advance(submission, progress).await;
        self.end(place);
        result
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        self.provider.read_callback(callback)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        let place = self.admit(verification).await?;
        let result = self.provider.forget(verification, progress).await;
        self.end(place);
        result
    }
}
