//! A provider in JSON.

use jiff::Timestamp;
use kyc_core::domain::breaker::{BreakerState, Standing};
use kyc_core::ports::provider::ErrorClass;
use kyc_core::usecase::{Availability, ProviderView};
use poem_openapi::Object;
use poem_openapi::types::Example;

use crate::api::values::{Time, Word};

/// An identity provider.
#[derive(Debug, Object)]
#[oai(rename = "Provider")]
pub(super) struct ProviderBody {
    /// Its name.
    name: String,
    /// Whether it is asked.
    state: Word<Availability>,
    /// Its circuit breaker.
    breaker: BreakerBody,
    /// The calls that have ended.
    calls: u64,
    /// Those of them that brought no answer, or asked to slow down.
    failures: u64,
    /// The median of the milliseconds that a call took, at most 3.2 % too high; null before the first one.
    #[oai(nullable)]
    latency_p50_ms: Option<u64>,
    /// The 95th percentile of the same.
    #[oai(nullable)]
    latency_p95_ms: Option<u64>,
    /// Why a call failed last.
    #[oai(nullable)]
    last_error: Option<Word<ErrorClass>>,
    /// When a call failed last.
    #[oai(nullable)]
    last_error_at: Option<Time>,
}

/// A circuit breaker.
#[derive(Debug, Object)]
#[oai(rename = "Breaker")]
pub(super) struct BreakerBody {
    /// Whether calls go through: all, none, or one at a time to see whether the provider is back.
    state: Word<BreakerState>,
    /// When the next call goes through, where not every one does.
    #[oai(nullable)]
    retry_at: Option<Time>,
}

/// The identity providers.
#[derive(Debug, Object)]
#[oai(rename = "ProviderList", example)]
pub(super) struct ProviderListBody {
    /// The providers, in order of preference.
    items: Vec<ProviderBody>,
}

impl From<Vec<ProviderView>> for ProviderListBody {
    fn from(views: Vec<ProviderView>) -> Self {
        Self { items: views.into_iter().map(Into::into).collect() }
    }
}

impl From<ProviderView> for ProviderBody {
    fn from(view: ProviderView) -> Self {
        Self {
            name: view.name.to_string(),
            state: Word(view.availability),
            breaker: view.breaker.into(),
            calls: view.calls,
            failures: view.failures,
            latency_p50_ms: view.latency_p50_ms,
            latency_p95_ms: view.latency_p95_ms,
            last_error: view.last_error.map(|(class, _)| Word(class)),
            last_error_at: view.last_error.map(|(_, at)| Time(at)),
        }
    }
}

impl From<Standing> for BreakerBody {
    fn from(standing: Standing) -> Self {
        Self { state: Word(standing.state), retry_at: standing.retry_at.map(Time) }
    }
}

impl Example for ProviderListBody {
    fn example() -> Self {
        let at = |second| Timestamp::from_second(second).ok().map(Time);
        let down = ProviderBody {
            name: "first".to_owned(),
            state: Word(Availability::Unavailable),
            breaker: BreakerBody { state: Word(BreakerState::Open), retry_at: at(1_769_851_810) },
            calls: 1204,
            failures: 12,
            latency_p50_ms: Some(187),
            latency_p95_ms: Some(1023),
            last_error: Some(Word(ErrorClass::Unreachable)),
            last_error_at: at(1_769_851_805),
        };
        let up = ProviderBody {
            name: "second".to_owned(),
            state: Word(Availability::Available),
            breaker: BreakerBody { state: Word(BreakerState::Closed), retry_at: None },
            calls: 31,
            failures: 0,
            latency_p50_ms: Some(243),
            latency_p95_ms: Some(895),
            last_error: None,
            last_error_at: None,
        };
        Self { items: vec![down, up] }
    }
}
