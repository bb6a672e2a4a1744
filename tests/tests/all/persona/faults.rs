//! What goes wrong on the way. Nothing of it verifies anybody, or makes a second inquiry.

use std::time::Duration;

use kyc_tests::vendor::{Fault, Reply};
use serde_json::json;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn limited(headers: &[(&str, &str)]) -> Fault {
    let body = json!({"errors": [{"title": "Rate limit exceeded", "details": ""}]});
    let reply =
        headers.iter().fold(Reply::json(429, &body), |reply, (name, value)| reply.header(name, value));
    Fault::Answer(reply)
}

/// Every fault and what it means at each step.
fn faults() -> Vec<(Fault, ProviderError)> {
    use ProviderError::{Malformed, RateLimited, Refused, Transient, Unreachable};
    let error =
        |status| Fault::Answer(Reply::json(status, &json!({"errors": [{"title": "", "details": ""}]})));
    vec![
        (Fault::Refuse, Unreachable),
        (Fault::Close, Transient),
        (Fault::Reset, Transient),
        (Fault::Hang, Transient),
        (Fault::Truncate, Transient),
        (Fault::Endless, Malformed),
        (Fault::Answer(Reply::html(200)), Malformed),
        (Fault::Answer(Reply::html(201)), Malformed),
        (Fault::Answer(Reply::html(500)), Transient),
        (Fault::Answer(Reply::html(404)), Malformed),
        (Fault::Answer(Reply::json(200, &json!([]))), Malformed),
        (Fault::Answer(Reply::json(201, &json!({"data": {"type": "inquiry", "id": "inq_1"}}))), Malformed),
        (Fault::Answer(Reply::of(200, "application/json", "{\"data\":")), Malformed),
        (Fault::Answer(Reply::empty(302).header("Location", "/")), Malformed),
        (error(400), Refused),
        (error(401), Transient),
        (error(403), Transient),
        (error(404), Refused),
        (error(422), Refused),
        (error(503), Transient),
        (limited(&[]), RateLimited { retry_after: None }),
        (limited(&[("Retry-After", "7")]), RateLimited { retry_after: Some(Duration::from_secs(7)) }),
        (limited(&[("RateLimit-Reset", "42")]), RateLimited { retry_after: Some(Duration::from_secs(42)) }),
        (limited(&[("Retry-After", "soon")]), RateLimited { retry_after: None }),
        (limited(&[("Retry-After", "86400")]), RateLimited { retry_after: Some(HOUR) }),
    ]
}

#[tokio::test]
async fn each_fault_at_each_step_has_its_class_and_the_attempt_goes_on_after_it() {
    for (fault, expected) in faults() {
        let persona = Persona::start();
        persona.be_quick();
        let clock = FakeClock::new();
        let mut config = config(&persona);
        config.timeout = Duration::from_millis(if fault == Fault::Hang { 300 } else { 5000 });
        let provider = PersonaProvider::new(&config, Arc::new(clock.clone())).unwrap();
        let mut attempt = Attempt { persona, clock, provider, progress: None };
        for step in ["create", "link", "look"] {
            attempt.persona.server().fail(fault.clone());
            assert_eq!(attempt.step().await, Err(expected), "{step}: {fault:?}");
            attempt.persona.server().heal();
            let went_on = attempt.step().await;
            assert!(went_on.is_ok(), "{step}: {fault:?}: {went_on:?}");
        }
        assert_eq!(attempt.persona.inquiries().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_link_that_could_do_harm_is_given_to_nobody() {
    for link in [
        "javascript:alert(1)",
        "http://inquiry.example.com/verify",
        "https://vendor@elsewhere.example.com/",
        "https://",
        "/verify",
        "",
    ] {
        let mut attempt = Attempt::start();
        attempt.step().await.unwrap();
        let body = json!({
            "data": {"type": "inquiry", "id": attempt.inquiry(), "attributes": {"status": "created"}},
            "meta": {"one-time-link": link},
        });
        attempt.persona.server().fail(Fault::Answer(Reply::json(200, &body)));
        assert_eq!(attempt.step().await, Err(ProviderError::Malformed), "{link}");
    }
}

#[tokio::test]
async fn an_answer_about_another_inquiry_is_none() {
    let mut attempt = Attempt::with_link().await;
    for (kind, id) in [("inquiry", "inq_other".to_owned()), ("account", attempt.inquiry())] {
        let data = json!({"type": kind, "id": id, "attributes": {"status": "approved"}});
        attempt.persona.server().fail(Fault::Answer(Reply::json(200, &json!({"data": data}))));
        assert_eq!(attempt.step().await, Err(ProviderError::Malformed));
    }
}

#[tokio::test]
async fn a_key_that_is_in_flight_is_waited_for() {
    let mut attempt = Attempt::start();
    let conflict = json!({"errors": [{"title": "Conflict", "details": ""}]});
    attempt.persona.server().fail(Fault::Answer(Reply::json(409, &conflict)));
    assert_eq!(attempt.step().await, Err(ProviderError::Transient));
}
