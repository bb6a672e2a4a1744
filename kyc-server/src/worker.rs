//! The workers: they take verifications that are due and run them side by side, up to a bound.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kyc_core::Kyc;
use kyc_core::ports::Clock;
use kyc_core::ports::store::Claimed;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tracing::{debug, error, info, warn};

/// How the workers work.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// The most verifications in flight at once.
    pub in_flight: u32,
    /// How often the queue is looked at when nobody has said that there is work.
    pub poll: Duration,
    /// How long a shutdown waits for what is in flight.
    pub grace: Duration,
}

impl WorkerSettings {
    /// With so many in flight, a look each second, and ten seconds at the end.
    #[must_use]
    pub const fn new(in_flight: u32) -> Self {
        Self { in_flight, poll: Duration::from_secs(1), grace: Duration::from_secs(10) }
    }
}

/// Wakes the workers, and shows whether they are alive.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    work: Arc<Notify>,
    last_round: Arc<Mutex<Option<Instant>>>,
}

impl Pulse {
    /// The longest time between two looks at the queue of workers that are alive.
    pub const LONGEST_ROUND: Duration = Duration::from_secs(30);

    /// There may be work. Returns at once.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// Whether the workers have looked at the queue of late.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let last = *self.last_round.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < Self::LONGEST_ROUND)
    }

    fn beat(&self) {
        *self.last_round.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Works until `shutdown`, and then finishes what is in flight, for at most the grace.
///
/// What is not finished by then is not lost: its lease runs out, and another worker goes on where it was.
pub async fn work(
    kyc: Kyc,
    clock: Arc<dyn Clock>,
    pulse: Pulse,
    settings: WorkerSettings,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(settings.in_flight as usize));
    // Waiting for a few free slots has one claim serve them all, where one slot at a time would cost a
    // write each.
    let enough = (settings.in_flight / 4).max(1);
    let mut running = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    info!(in_flight = settings.in_flight, "workers started");
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            room = slots.acquire_many(enough) => drop(room),
        }
        reap(&mut running);
        pulse.beat();
        let free = u32::try_from(slots.available_permits()).unwrap_or(u32::MAX);
        let full = match kyc.claim_due(free).await {
            Ok(claimed) => {
                let full = claimed.len() >= free as usize;
                for one in claimed {
                    start(&mut running, &slots, &kyc, one).await;
                }
                full
            }
            Err(failure) => {
                warn!(%failure, "the queue can't be read; looking again later");
                false
            }
        };
        if full {
            continue;
        }
        match kyc.renew_expired(100).await {
            Ok(0) => {}
            Ok(renewed) => info!(renewed, "decisions have run out"),
            Err(failure) => warn!(%failure, "decisions that have run out can't be renewed now"),
        }
        let nap = nap(&kyc, &*clock, settings.poll).await;
        tokio::select! {
            () = &mut shutdown => break,
            () = pulse.work.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
    info!(in_flight = running.len(), "workers stop");
    let rest = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(settings.grace, rest).await.is_err() {
        warn!("some verifications were still in flight; their leases run out and others go on");
    }
}

async fn start(running: &mut JoinSet<()>, slots: &Arc<Semaphore>, kyc: &Kyc, claimed: Claimed) {
    // The claim was for free slots, so this does not wait.
    let Ok(slot) = Arc::clone(slots).acquire_owned().await else { return };
    let kyc = kyc.clone();
    running.spawn(async move {
        let verification = claimed.record.verification.id;
        match kyc.run(claimed).await {
            Ok(ran) => debug!(%verification, ?ran, "verification ran"),
            Err(failure) => {
                warn!(%verification, %failure, "a result could not be kept; its lease runs out");
            }
        }
        drop(slot);
    });
}

/// Collects those that have ended; one that panicked lost nothing but its lease.
fn reap(running: &mut JoinSet<()>) {
    while let Some(ended) = running.try_join_next() {
        if ended.is_err() {
            error!("a verification panicked; its lease runs out");
        }
    }
}

/// How long nothing will be due: until the next one falls due, and no longer than the poll.
async fn nap(kyc: &Kyc, clock: &dyn Clock, poll: Duration) -> Duration {
    let Ok(Some(due)) = kyc.next_due().await else { return poll };
    // One that is due already is leased, or was queued since the claim, which wakes by itself.
    Duration::try_from(due.duration_since(clock.now()))
        .ok()
        .filter(|wait| !wait.is_zero())
        .map_or(poll, |wait| wait.min(poll))
}

#[cfg(test)]
mod tests;
