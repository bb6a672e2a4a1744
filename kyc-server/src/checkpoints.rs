//! The task that signs checkpoints of the audit log while the service serves.
//!
//! One at start, one at stop, and between them after 1,000 events or a minute, whichever comes first; also when
//! nothing happened, so that whoever collects them sees within a minute that they stopped. It looks once a
//! second, so a burst has at most one a second. Nothing is signed on trust: the events since the checkpoint
//! before are read from the database again, and walked.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kyc_core::domain::audit::ChainWalk;
use kyc_core::domain::checkpoint::Checkpoint;
use kyc_core::ports::Clock;
use kyc_core::ports::store::AuditReads;
use kyc_core::usecase::chain::{ChainError, last_event, walk_on};

/// The target of the log lines, so that a filter can send them elsewhere.
const TARGET: &str = "audit_checkpoint";

/// Signs a checkpoint and keeps it. It answers the note, or in words why it could not be kept.
pub type Keep = Arc<dyn Fn(&Checkpoint) -> Result<String, String> + Send + Sync>;

/// When a checkpoint is signed.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    /// After so many events.
    pub events: u64,
    /// After so long, whatever happened.
    pub interval: Duration,
    /// How often the events are counted.
    pub look: Duration,
    /// How long the last one may take, at a stop.
    pub grace: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            events: 1000,
            interval: Duration::from_mins(1),
            look: Duration::from_secs(1),
            grace: Duration::from_secs(5),
        }
    }
}

/// Signs checkpoints.
///
/// Where one can't be signed or kept, that is logged and counted, and tried again with the next; the service
/// goes on, since whoever fills a disk must not be able to stop it. An event that is not as it was committed is
/// an error in the log each minute, nothing is signed any more, and the next start is refused.
pub struct Checkpoints {
    walk: ChainWalk,
    keep: Keep,
    rhythm: Rhythm,
    /// How many could not be signed or kept, one after the other.
    failures: u32,
}

impl Checkpoints {
    /// Goes on from where a walk stands, which is the newest checkpoint, or what was walked since.
    #[must_use]
    pub fn after(walk: ChainWalk, keep: Keep) -> Self {
        Self { walk, keep, rhythm: Rhythm::default(), failures: 0 }
    }

    /// With another rhythm.
    #[must_use]
    pub const fn with_rhythm(mut self, rhythm: Rhythm) -> Self {
        self.rhythm = rhythm;
        self
    }

    /// Signs until `shutdown`. The last one is left to [`Self::finish`], when nothing is written any more.
    pub async fn run(
        mut self,
        reads: Arc<dyn AuditReads>,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()>,
    ) -> Self {
        let reads = &*reads;
        let mut shutdown = pin!(shutdown);
        loop {
            let signed = Instant::now();
            let is_over = tokio::select! {
                () = &mut shutdown => true,
                () = self.sign(reads, &*clock) => false,
            };
            if is_over {
                return self;
            }
            while signed.elapsed() < self.rhythm.interval && !self.is_behind(reads).await {
                tokio::select! {
                    () = &mut shutdown => return self,
                    () = tokio::time::sleep(self.rhythm.look) => {}
                }
            }
        }
    }

    /// Signs the last one.
    pub async fn finish(mut self, reads: &dyn AuditReads, clock: &dyn Clock) {
        if tokio::time::timeout(self.rhythm.grace, self.sign(reads, clock)).await.is_err() {
            tracing::warn!(target: TARGET, "there was no time for a checkpoint at the stop");
        }
    }

    /// Whether enough events came since the last one. After a failure only time counts.
    async fn is_behind(&self, reads: &dyn AuditReads) -> bool {
        let enough = self.walk.sequence().saturating_add(self.rhythm.events);
        self.failures == 0 && last_event(reads).await.is_ok_and(|last| last >= enough)
    }

    /// It can be given up at any point: what was walked stays walked, and a file appears whole or not at all.
    async fn sign(&mut self, reads: &dyn AuditReads, clock: &dyn Clock) {
        let words = match walk_on(reads, &mut self.walk).await {
            Ok(()) => {
                let checkpoint =
                    Checkpoint { size: self.walk.sequence(), head: self.walk.head(), at: clock.now() };
                let keep = Arc::clone(&self.keep);
                let kept = tokio::task::spawn_blocking(move || keep(&checkpoint)).await;
                match kept.unwrap_or_else(|panic| Err(panic.to_string())) {
                    Ok(note) => {
                        self.failures = 0;
                        tracing::info!(target: TARGET, size = checkpoint.size, note = note.as_str(), "checkpoint");
                        return;
                    }
                    Err(words) => words,
                }
            }
            Err(ChainError::Fault(fault)) => {
                self.failures = self.failures.saturating_add(1);
                tracing::error!(
                    target: TARGET,
                    failures = self.failures,
                    %fault,
                    "the audit log was changed under the service: it is not signed any more"
                );
                return;
            }
            Err(error @ ChainError::Store(_)) => error.to_string(),
        };
        self.failures = self.failures.saturating_add(1);
        let failures = self.failures;
        tracing::warn!(target: TARGET, failures, error = words.as_str(), "a checkpoint could not be kept");
    }
}

#[cfg(test)]
mod tests;
