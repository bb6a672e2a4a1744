//! Logs: JSON, or text on a terminal, always to stderr, since stdout is for the answers of commands. Fields are
//! ids and counts, never personal data.

use std::fmt;
use std::io::IsTerminal;
use std::panic;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error("the log filter can't be read; one such as `info` or `kyc_server=debug,info` is expected")]
    Filter,
    /// Something else in the process has set up logging.
    #[error("logging is set up already")]
    AlreadySet,
}

/// Whether a text is a filter.
#[must_use]
pub fn is_filter(text: &str) -> bool {
    EnvFilter::try_new(text).is_ok()
}

/// Logs to stderr from here on, panics too.
///
/// # Errors
/// [`TelemetryError`] where the filter can't be read, or logging is set up already.
pub fn start(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let is_terminal = std::io::stderr().is_terminal();
    let format = match format {
        LogFormat::Auto if is_terminal => LogFormat::Text,
        LogFormat::Auto => LogFormat::Json,
        LogFormat::Text | LogFormat::Json => format,
    };
    subscriber(filter, format, is_terminal, std::io::stderr)?
        .try_init()
        .map_err(|_| TelemetryError::AlreadySet)?;
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// What formats log lines to any writer; `Auto` is JSON.
///
/// # Errors
/// [`TelemetryError::Filter`] where the filter can't be read.
pub fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    colour: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter).map_err(|_| TelemetryError::Filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_ansi(colour).finish()),
        LogFormat::Auto | LogFormat::Json => {
            Box::new(builder.json().flatten_event(true).with_span_list(false).finish())
        }
    })
}

/// Where it panicked and no word of what: the message may hold the value that was at fault.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let place = panic.location().map(Place);
    tracing::error!(place = place.as_ref().map(tracing::field::display), "a thread panicked");
}

struct Place<'p>(&'p panic::Location<'p>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::DefaultGuard;

    use super::*;

    /// Log lines that a test looks at.
    #[derive(Clone, Default)]
    pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        /// Everything that this thread logs as JSON until the guard goes.
        pub(crate) fn capture() -> (Self, DefaultGuard) {
            Self::capture_as(LogFormat::Json)
        }

        fn capture_as(format: LogFormat) -> (Self, DefaultGuard) {
            let lines = Self::default();
            let writer = lines.clone();
            let subscriber = subscriber("info", format, false, move || writer.clone()).unwrap();
            (lines, tracing::subscriber::set_default(subscriber))
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        pub(crate) fn json(&self) -> Vec<serde_json::Value> {
            self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn logged(format: LogFormat, work: impl FnOnce()) -> String {
        let (lines, _logging) = Lines::capture_as(format);
        work();
        lines.text()
    }

    #[test]
    fn a_json_line_bears_the_fields_of_its_span() {
        let line = logged(LogFormat::Json, || {
            let span = tracing::info_span!("request", request_id = "r-1");
            span.in_scope(|| tracing::info!(status = 200, "answered"));
        });
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["span"]["request_id"], "r-1");
        assert_eq!(line["status"], 200);
        assert_eq!(line["message"], "answered");
    }

    #[test]
    fn the_filter_is_kept_to() {
        assert_eq!(logged(LogFormat::Text, || tracing::debug!("quiet")), "");
        assert!(is_filter("kyc_server=debug,info"));
        assert!(!is_filter("kyc_server=loud"));
    }

    #[test]
    fn a_line_break_in_a_field_stays_in_its_line() {
        let line = logged(LogFormat::Text, || tracing::info!(name = "a\nb\u{1b}[31m", "hello"));
        assert_eq!(line.lines().count(), 1, "{line:?}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }

    #[test]
    fn a_panic_is_logged_by_its_place_alone() {
        let before = panic::take_hook();
        let line = logged(LogFormat::Json, || {
            panic::set_hook(Box::new(log_panic));
            drop(panic::catch_unwind(|| panic!("Ada Lovelace")));
        });
        panic::set_hook(before);
        assert!(line.contains("telemetry.rs:"), "{line}");
        assert!(!line.contains("Ada"), "{line}");
    }
}
