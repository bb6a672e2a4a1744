//! Decisions: customers who wait are verified by the real workers, at the sandbox over loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kyc_core::domain::report::{Counter, Range};
use kyc_core::domain::status::StatusKind;
use kyc_core::ports::Store;
use kyc_server::service::Service;
use kyc_server::wire::Wired;
use kyc_server::worker::{WorkerSettings, work};
use tokio::sync::oneshot;

use crate::Result;
use crate::arms::{data_folder, rate};
use crate::register::fill;
use crate::server::wired;

/// Verifications in flight at once: the default of the service.
const IN_FLIGHT: u32 = 64;
/// How many customers wait, for each second that measuring may take.
const CUSTOMERS_A_SECOND: u64 = 1000;
/// How often the bench looks whether all are decided.
const LOOK: Duration = Duration::from_millis(10);
/// When it gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A queue that is filled without workers, and emptied by them.
pub(crate) struct Decisions {
    within: PathBuf,
}

impl Decisions {
    /// Data goes into new folders in `within`.
    pub(crate) fn of(within: &Path) -> Self {
        Self { within: within.to_owned() }
    }

    /// Registers customers, then has the workers decide them all, and says how many a second.
    pub(crate) fn run(&self, window: Duration) -> Result<f64> {
        let folder = data_folder(&self.within)?;
        let window = u64::try_from(window.as_millis())?;
        let count = (CUSTOMERS_A_SECOND * window / 1000).max(u64::from(IN_FLIGHT));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let time = runtime.block_on(async {
            let Wired { parts, store, .. } = wired(folder.path()).await?;
            let clock = Arc::clone(&parts.ports.clock);
            let Service { kyc, pulse, .. } = Service::of(parts);
            fill(&kyc, count).await?;

            let (stop, stopped) = oneshot::channel::<()>();
            let begun = Instant::now();
            let stopping = async { drop(stopped.await) };
            let settings = WorkerSettings::new(IN_FLIGHT);
            let workers = tokio::spawn(work(kyc.clone(), Arc::clone(&clock), pulse, settings, stopping));
            while kyc.next_due().await?.is_some() {
                if begun.elapsed() > PATIENCE {
                    return Err("not all were decided within a minute".into());
                }
                tokio::time::sleep(LOOK).await;
            }
            let time = begun.elapsed();
            drop(stop);
            workers.await?;
            let today = jiff::tz::Offset::UTC.to_datetime(clock.now()).date();
            let verified = verified(&*store, today).await?;
            store.close().await;
            if verified == i64::try_from(count)? {
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(time)
            } else {
                Err(format!("{verified} of {count} customers were verified").into())
            }
        })?;
        Ok(rate(count, time))
    }
}

/// How many customers are verified of those registered today or, where midnight is near, yesterday.
async fn verified(store: &dyn Store, today: jiff::civil::Date) -> Result<i64> {
    let counts = store.counts(Range::new(today.yesterday()?, today)?).await?;
    let verified = counts.iter().filter(|count| count.counter == Counter::Status(StatusKind::Verified));
    Ok(verified.map(|count| count.count).sum())
}
