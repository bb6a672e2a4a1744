//! How a provider fares: its breaker, and what is counted of its calls.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::breaker::{Breaker, BreakerState, Standing};
use crate::domain::ids::ProviderName;
use crate::domain::report::{bucket, percentile};
use crate::domain::words::words;
use crate::ports::provider::{ErrorClass, ProviderError};

words! {
    /// Whether a provider is asked.
    pub enum Availability, "availability" {
        /// It is asked.
        Available = "available",
        /// It was down, and one call at a time shows whether it is back.
        Recovering = "recovering",
        /// It is down, and asked no more for a while.
        Unavailable = "unavailable",
    }
}

/// How a provider fares, since this process started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderView {
    /// Its name.
    pub name: ProviderName,
    /// Whether it is asked.
    pub availability: Availability,
    /// Its circuit breaker.
    pub breaker: Standing,
    /// The calls that have ended.
    pub calls: u64,
    /// Those of them that brought no answer, or asked to slow down.
    pub failures: u64,
    /// The median of the time that a call took, in milliseconds, at most 3.2 % too high; none without a call.
    pub latency_p50_ms: Option<u64>,
    /// The 95th percentile of the same.
    pub latency_p95_ms: Option<u64>,
    /// Why a call failed last, and when.
    pub last_error: Option<(ErrorClass, Timestamp)>,
}

/// What is known of one provider.
#[derive(Debug, Default)]
pub(super) struct Health {
    pub(super) breaker: Breaker,
    calls: u64,
    failures: u64,
    /// How many calls took so long, by [`bucket`] of milliseconds: a fixed number of entries, however many calls.
    latency: BTreeMap<u16, i64>,
    last_error: Option<(ErrorClass, Timestamp)>,
}

impl Health {
    /// Counts a call.
    pub(super) fn count(&mut self, begun: Timestamp, ended: Timestamp, error: Option<ProviderError>) {
        self.calls += 1;
        let took = u64::try_from(ended.duration_since(begun).as_millis()).unwrap_or(0);
        *self.latency.entry(bucket(took)).or_default() += 1;
        if let Some(error) = error {
            self.failures += 1;
            self.last_error = Some((error.error_class(), ended));
        }
    }

    pub(super) fn view(&self, name: &ProviderName, now: Timestamp) -> ProviderView {
        let breaker = self.breaker.standing(now);
        ProviderView {
            name: name.clone(),
            availability: match breaker.state {
                BreakerState::Closed => Availability::Available,
                BreakerState::HalfOpen => Availability::Recovering,
                BreakerState::Open => Availability::Unavailable,
            },
            breaker,
            calls: self.calls,
            failures: self.failures,
            latency_p50_ms: percentile(&self.latency, 50),
            latency_p95_ms: percentile(&self.latency, 95),
            last_error: self.last_error,
        }
    }
}
