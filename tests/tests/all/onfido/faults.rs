//! Each fault of a network, a proxy or the vendor, before and after something was submitted.

use std::sync::Arc;
use std::time::Duration;

use kyc_adapters::provider::{OnfidoConfig, OnfidoProvider, Region};
use kyc_core::domain::ids::ProviderName;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{Forgotten, Progress, ProviderError};
use kyc_tests::vendor::files::front;
use kyc_tests::vendor::onfido::TOKEN;
use kyc_tests::vendor::{Fault, Reply};
use serde_json::json;

use super::support::{Bench, verification};

#[test]
fn each_fault_has_its_class_before_and_after_a_submission() {
    use ProviderError::{Malformed, RateLimited, Refused, Transient, Unreachable};
    let status =
        |status| Fault::Answer(Reply::json(status, &json!({"error": {"type": "any", "message": "Ada"}})));
    let delay = |seconds: &str| Fault::Answer(Reply::json(429, &json!({})).header("Retry-After", seconds));
    let limited = |seconds: Option<u64>| RateLimited { retry_after: seconds.map(Duration::from_secs) };
    let huge = Reply::json(200, &json!({"applicants": [], "x": "x".repeat(300 * 1024)}));
    for (fault, before, after) in [
        (Fault::Refuse, Unreachable, Transient),
        (Fault::Close, Transient, Transient),
        (Fault::Reset, Transient, Transient),
        (Fault::Truncate, Transient, Transient),
        (Fault::Endless, Malformed, Malformed),
        (Fault::Answer(huge), Malformed, Malformed),
        (status(400), Refused, Refused),
        (status(401), Transient, Transient),
        (status(403), Transient, Transient),
        (status(404), Refused, Refused),
        (status(408), Transient, Transient),
        (status(422), Refused, Refused),
        (status(429), limited(None), limited(None)),
        (delay("7"), limited(Some(7)), limited(Some(7))),
        (delay("86400"), limited(Some(3600)), limited(Some(3600))),
        (delay("soon"), limited(None), limited(None)),
        (status(500), Transient, Transient),
        (status(503), Transient, Transient),
        (status(204), Malformed, Malformed),
        (status(302), Malformed, Malformed),
        (Fault::Answer(Reply::html(200)), Malformed, Malformed),
        (Fault::Answer(Reply::html(404)), Malformed, Malformed),
        (Fault::Answer(Reply::of(200, "application/json", "{\"applicants\":")), Malformed, Malformed),
        (Fault::Answer(Reply::json(200, &json!([]))), Malformed, Malformed),
    ] {
        let bench = Bench::new();
        let submission = verification(1, front());
        bench.vendor.server().fail(fault.clone());
        assert_eq!(bench.step(&submission, None), Err(before), "before, {fault:?}");
        bench.vendor.server().heal();
        let (_, kept) = bench.run(&submission);
        bench.vendor.server().fail(fault.clone());
        for progress in &kept {
            assert_eq!(bench.step(&submission, Some(progress)), Err(after), "after, {fault:?}");
        }
    }
}

#[test]
fn a_vendor_that_hangs_takes_the_time_that_is_set_and_no_more() {
    let bench = Bench::new();
    let name = ProviderName::parse("onfido").unwrap();
    let mut config = OnfidoConfig::new(name, TOKEN.into(), Region::Eu);
    config.base_url = Some(bench.vendor.url());
    config.timeout = Duration::from_millis(200);
    let provider = OnfidoProvider::new(&config, Arc::new(bench.clock.clone())).unwrap();
    bench.vendor.server().fail(Fault::Hang);
    let began = std::time::Instant::now();
    let step = bench.wait(provider.advance(&verification(1, front()), None));
    assert_eq!(step, Err(ProviderError::Transient));
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[test]
fn an_answer_without_what_it_is_read_for_is_none() {
    for (method, path) in
        [("POST", "/v3.6/applicants"), ("POST", "/v3.6/documents"), ("POST", "/v3.6/checks")]
    {
        for id in [json!(null), json!(""), json!("../../applicants"), json!("a?b=c"), json!(7)] {
            let bench = Bench::new();
            let told = id.clone();
            bench.vendor.alter(move |request, body| {
                if request.method == method && request.path() == path {
                    body["id"] = told.clone();
                }
            });
            let submission = verification(1, front());
            let mut progress: Option<Progress> = None;
            let error = loop {
                match bench.step(&submission, progress.as_ref()) {
                    Ok(kyc_core::ports::provider::Step::Save { progress: next, .. }) => progress = Some(next),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, ProviderError::Malformed, "{method} {path} {id}");
        }
    }
}

#[test]
fn progress_of_another_version_submits_nothing() {
    let bench = Bench::new();
    let progress = Progress::new(b"{\"format\":9}".to_vec()).unwrap();
    let submission = verification(1, front());
    assert_eq!(bench.step(&submission, Some(&progress)), Err(ProviderError::Malformed));
    let forgotten = bench.wait(bench.provider.forget(submission.verification, Some(&progress)));
    assert_eq!(forgotten, Err(ProviderError::Malformed));
    assert!(bench.vendor.server().received().is_empty());
}

#[test]
fn only_the_vendor_says_that_something_is_gone() {
    let bench = Bench::new();
    let submission = verification(1, front());
    let (_, kept) = bench.run(&submission);
    let forget = || bench.wait(bench.provider.forget(submission.verification, kept.last()));
    for (reply, expected) in [
        (Reply::html(404), Err(ProviderError::Malformed)),
        (Reply::json(404, &json!({})), Ok(Forgotten::Done)),
        (Reply::json(410, &json!({})), Ok(Forgotten::Done)),
        (Reply::json(422, &json!({})), Err(ProviderError::Refused)),
        (Reply::json(200, &json!({})), Err(ProviderError::Malformed)),
        (Reply::json(500, &json!({})), Err(ProviderError::Transient)),
    ] {
        bench.vendor.server().fail(Fault::Answer(reply.clone()));
        assert_eq!(forget(), expected, "{reply:?}");
    }
}
