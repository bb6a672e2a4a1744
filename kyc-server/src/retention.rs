//! The jobs of keeping and erasing: each hour those go whose time is over, and the ledger of erasures is
//! compared with the store; what the ledger could not take is tried again every few seconds.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::usecase::ReplayError;
use tracing::{info, warn};

/// How often it is looked who is due.
const ROUND: Duration = Duration::from_hours(1);

/// How often the ledger is asked again to take what it could not.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps and erases until `shutdown`. An erasure is whole by itself, so one more that is due waits for the next
/// start.
pub async fn keep(kyc: Kyc, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let mut last: Option<Instant> = None;
    loop {
        let work = async {
            if let Err(error) = kyc.record_erasures().await {
                warn!(%error, "erasures wait for the ledger");
            }
            if last.is_none_or(|last| last.elapsed() >= ROUND) {
                last = Some(Instant::now());
                round(&kyc).await;
            }
        };
        tokio::select! {
            () = &mut shutdown => return,
            () = work => {}
        }
        tokio::select! {
            () = &mut shutdown => return,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

async fn round(kyc: &Kyc) {
    match kyc.erase_due(&Actor::system("retention"), |_, _| {}).await {
        Ok(erased) if erased.is_empty() => {}
        Ok(erased) => info!(customers = erased.len(), "their retention has ended, and they were erased"),
        Err(error) => warn!(%error, "customers whose retention has ended can't be erased now"),
    }
    // A process that died between an erasure and its note has left it to this.
    if let Err(error) = replay(kyc).await {
        warn!(%error, "the erasure ledger can't be compared with the database now");
    }
}

/// Compares the ledger of erasures with the database, and tells what came of it. To be done before anything is
/// served.
///
/// # Errors
/// [`ReplayError`] where they can't be compared.
pub async fn replay(kyc: &Kyc) -> Result<(), ReplayError> {
    let replayed = kyc.replay_erasures().await?;
    if replayed.erased > 0 {
        warn!(
            customers = replayed.erased,
            "a restored database had brought people back: they were erased again"
        );
    }
    if replayed.recorded > 0 {
        info!(erasures = replayed.recorded, "the erasure ledger lacked erasures and has them now");
    }
    if replayed.remembered > 0 {
        info!(erasures = replayed.remembered, "the database lacked erasures and has them now");
    }
    Ok(())
}
