//! One exchange over HTTP with a provider: bounded in time and size, and read as what it means for a verification.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use kyc_core::Secret;
use kyc_core::ports::provider::{Answer, ProviderError};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use ureq::http::{Request, Response};
use ureq::{Agent, AsSendBody, Body, Timeout};

use super::base::{Base, ConfigError};

/// How long an idle connection is kept: less than servers do, so that a submission does not meet one that
/// was just closed.
const MAX_IDLE: Duration = Duration::from_secs(3);
/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// What an exchange may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The most time that one step may take, from the look-up of the name to the last byte.
    pub(super) timeout: Duration,
    /// The most bytes of an answer that are read.
    pub(super) max_body: usize,
}

impl Bounds {
    /// The time that one step may take, where it is not set.
    pub(super) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
    /// The most time that can be set: a shutdown waits for a step, and has ten seconds.
    pub(super) const MAX_TIMEOUT: Duration = Duration::from_secs(8);
    /// The most bytes of an answer, by default and at all: what the core keeps of it.
    pub(super) const MAX_BODY: usize = Answer::MAX_RAW_BYTES;

    pub(super) fn check(self) -> Result<(), ConfigError> {
        if self.timeout < Duration::from_millis(1) || self.timeout > Self::MAX_TIMEOUT {
            return Err(ConfigError::Timeout);
        }
        if !(1..=Self::MAX_BODY).contains(&self.max_body) {
            return Err(ConfigError::MaxBody);
        }
        Ok(())
    }
}

/// The end of one step's time, which its exchanges share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// The end of a step that begins now.
    fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    fn remaining(self) -> Result<Duration, ProviderError> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ProviderError::Transient) } else { Ok(left) }
    }
}

/// Runs the blocking work of one step on a thread for such work, within its time. The time-out here is for the case
/// that no thread is free; the work has its own.
pub(super) async fn step<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce(Deadline) -> Result<T, ProviderError> + Send + 'static,
) -> Result<T, ProviderError> {
    let deadline = Deadline::after(time);
    match timeout(time, spawn_blocking(move || work(deadline))).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) | Err(_) => Err(ProviderError::Transient),
    }
}

/// Connections to one provider.
pub(super) struct Line {
    agent: Agent,
    base: Base,
    max_body: usize,
}

impl Line {
    pub(super) fn new(base: Base, bounds: Bounds) -> Self {
        let agent = Agent::config_builder()
            // A proxy of the environment would see every applicant; an operator who wants one says so in the
            // base URL.
            .proxy(None)
            .max_redirects(0)
            .https_only(!base.insecure)
            .http_status_as_error(false)
            .user_agent(concat!("kyc-adapters/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .timeout_global(Some(bounds.timeout))
            .max_response_header_size(MAX_HEAD)
            .max_idle_age(MAX_IDLE)
            .build()
            .into();
        Self { agent, base, max_body: bounds.max_body }
    }

    /// Where the provider is.
    #[cfg(feature = "provider-http")]
    pub(super) const fn base(&self) -> &Base {
        &self.base
    }

    /// The address of a path, which begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.base.origin, self.base.path)
    }

    /// Sends a request, and waits for the head of the answer.
    pub(super) fn send<S: AsSendBody>(
        &self,
        request: Result<Request<S>, ureq::http::Error>,
        deadline: Deadline,
    ) -> Result<Response<Body>, ProviderError> {
        let request = request.map_err(|_| ProviderError::Malformed)?;
        let left = deadline.remaining()?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request).map_err(|error| classify(&error))
    }

    /// The body of an answer; [`ProviderError::Malformed`] where it is too long.
    pub(super) fn body(&self, response: &mut Response<Body>) -> Result<Secret<Vec<u8>>, ProviderError> {
        let limit = u64::try_from(self.max_body).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        // The head was here, so that the request has arrived, whatever becomes of the rest.
        body.map(Secret::new).map_err(|error| {
            if is_malformed(&error) { ProviderError::Malformed } else { ProviderError::Transient }
        })
    }
}

/// What an error of an exchange means. Where no connection could be made nothing was sent; what else it is, is the
/// network, TLS or the time.
fn classify(error: &ureq::Error) -> ProviderError {
    if is_malformed(error) {
        ProviderError::Malformed
    } else if is_unreachable(error) {
        ProviderError::Unreachable
    } else {
        ProviderError::Transient
    }
}

/// What is not HTTP, or too big.
const fn is_malformed(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::Protocol(_)
            | ureq::Error::Http(_)
            | ureq::Error::BadUri(_)
            | ureq::Error::BodyExceedsLimit(_)
            | ureq::Error::LargeResponseHeader(_, _)
            | ureq::Error::BodyStalled
    )
}

fn is_unreachable(error: &ureq::Error) -> bool {
    const KINDS: [ErrorKind; 3] =
        [ErrorKind::ConnectionRefused, ErrorKind::HostUnreachable, ErrorKind::NetworkUnreachable];
    matches!(
        error,
        ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
    ) || matches!(error, ureq::Error::Io(error) if KINDS.contains(&error.kind()))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_what_never_left_this_machine_is_unreachable() {
        for (error, expected) in [
            (ureq::Error::HostNotFound, ProviderError::Unreachable),
            (ureq::Error::ConnectionFailed, ProviderError::Unreachable),
            (ureq::Error::Timeout(Timeout::Connect), ProviderError::Unreachable),
            (ureq::Error::Timeout(Timeout::Resolve), ProviderError::Unreachable),
            (ureq::Error::Io(ErrorKind::ConnectionRefused.into()), ProviderError::Unreachable),
            (ureq::Error::Io(ErrorKind::ConnectionReset.into()), ProviderError::Transient),
            (ureq::Error::Io(ErrorKind::UnexpectedEof.into()), ProviderError::Transient),
            (ureq::Error::Io(io::Error::other("")), ProviderError::Transient),
            (ureq::Error::Timeout(Timeout::Global), ProviderError::Transient),
            (ureq::Error::Timeout(Timeout::SendBody), ProviderError::Transient),
            (ureq::Error::BodyExceedsLimit(1), ProviderError::Malformed),
        ] {
            assert_eq!(classify(&error), expected, "{error}");
        }
    }
}
