//! How a provider fares: what is counted, and a call that nobody waited for.

use std::future::pending;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::SignedDuration;

use super::*;
use crate::domain::breaker::BreakerState;
use crate::domain::field::Field;
use crate::fakes::FakeClock;
use crate::ports::provider::{Callback, CallbackError, CallbackNews, Forgotten};

/// A provider that takes so many seconds for a call and then can't be reached, or never comes back.
struct Slow {
    clock: FakeClock,
    seconds: Mutex<Vec<i64>>,
}

#[async_trait]
impl IdentityProvider for Slow {
    fn name(&self) -> ProviderName {
        ProviderName::parse("slow").unwrap()
    }

    fn discloses(&self) -> Vec<Field> {
        Vec::new()
    }

    async fn advance<'a>(&self, _: &'a Submission, _: Option<&'a Progress>) -> Result<Step, ProviderError> {
        let seconds = self.seconds.lock().unwrap().pop();
        let _now = match seconds {
            Some(seconds) => self.clock.advance(SignedDuration::from_secs(seconds)),
            None => pending().await,
        };
        Err(ProviderError::Unreachable)
    }

    fn read_callback(&self, _: &Callback) -> Result<CallbackNews, CallbackError> {
        Err(CallbackError::Unsupported)
    }

    async fn forget<'a>(
        &self,
        _: VerificationId,
        _: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        Ok(Forgotten::Unsupported)
    }
}

fn wish<'a>(number: u8, clock: &'a FakeClock, policy: &'a BreakerPolicy) -> Wish<'a> {
    let of = VerificationId::from_bytes([number; 16]);
    Wish { of, may_move: false, barred: None, clock, policy }
}

#[test]
fn calls_are_timed_by_the_clock() {
    let clock = FakeClock::new();
    let seconds = Mutex::new(vec![1, 2, 3, 4]);
    let providers = Providers::one(Arc::new(Slow { clock: clock.clone(), seconds }));
    let (policy, submission) = (BreakerPolicy::default(), crate::contract::provider::submission(1));
    let name = providers.first().name();
    for number in 1..=4 {
        let Choice::Ask(call) = providers.choose(&name, wish(number, &clock, &policy)) else {
            panic!("admitted")
        };
        let result = call.advance(&submission, None).now_or_never().unwrap();
        assert_eq!(result, Err(ProviderError::Unreachable));
    }
    // A clone knows what the first one knows.
    let view = providers.clone().first.health().view(&name, clock.now());
    assert_eq!((view.calls, view.failures), (4, 4));
    let within =
        |value: Option<u64>, wanted: u64| value.is_some_and(|ms| ms >= wanted && ms <= wanted * 103 / 100);
    assert!(within(view.latency_p50_ms, 2000) && within(view.latency_p95_ms, 4000), "{view:?}");
}

#[test]
fn a_probe_that_nobody_waits_for_does_not_keep_the_provider_down() {
    let clock = FakeClock::new();
    let providers = Providers::one(Arc::new(Slow { clock: clock.clone(), seconds: Mutex::new(vec![0]) }));
    let policy =
        BreakerPolicy { in_a_row: 1, least: 1, pause: Duration::from_secs(5), ..BreakerPolicy::default() };
    let submission = crate::contract::provider::submission(1);
    let name = providers.first().name();
    let choose = || providers.choose(&name, wish(1, &clock, &policy));
    let Choice::Ask(call) = choose() else { panic!("admitted") };
    call.advance(&submission, None).now_or_never().unwrap().unwrap_err();
    assert!(matches!(choose(), Choice::Wait(_)), "one failure is enough here");
    clock.advance(SignedDuration::from_secs(5));
    let Choice::Ask(probe) = choose() else { panic!("the probe") };
    {
        let call = probe.advance(&submission, None);
        let mut call = std::pin::pin!(call);
        assert!(call.as_mut().now_or_never().is_none(), "it is under way");
        assert!(matches!(choose(), Choice::Wait(_)), "and no other");
    }
    let view = providers.first.health().view(&name, clock.now());
    assert_eq!((view.breaker.state, view.calls), (BreakerState::HalfOpen, 1));
    assert!(matches!(choose(), Choice::Ask(_)), "the next call is the probe");
}
