//! When to stop: SIGTERM from a supervisor, or SIGINT from a terminal.

use std::io;

/// Ends when the process is asked to stop. Once this was called, the signals no longer kill the process.
///
/// # Errors
/// Where the system takes no handler.
#[cfg(unix)]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "asked to stop");
    })
}

/// Ends when the process is asked to stop.
///
/// # Errors
/// None here; other systems have some.
#[cfg(not(unix))]
pub fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where Ctrl-C can't be heard, the process runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
