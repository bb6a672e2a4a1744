//! A customer of the service whose provider is Persona, over HTTP.

use std::time::Duration;

use kyc_core::usecase::Providers;
use kyc_tests::app::{Builder, TestApp};
use kyc_tests::vendor::persona::{ADAS, passed, verification};
use serde_json::Value;

use super::*;

const NUMBER: &str = ADAS.number;

/// A service whose provider is the fake.
fn app(persona: &Persona) -> TestApp {
    builder(persona).start()
}

fn builder(persona: &Persona) -> Builder {
    let config = config(persona);
    let make = move |clock| Providers::one(Arc::new(PersonaProvider::new(&config, clock).unwrap()) as _);
    TestApp::builder().providers(make)
}

/// A customer who has followed the link.
fn visited() -> (Persona, TestApp, String) {
    let persona = Persona::start();
    let app = app(&persona);
    app.register_and_run("cus-1", NUMBER);
    let status = app.status("cus-1").json;
    let inquiry = persona.visit(status["link"].as_str().unwrap()).unwrap();
    (persona, app, inquiry)
}

#[test]
fn the_customer_is_given_a_link_passes_and_is_verified() {
    let persona = Persona::start();
    let app = app(&persona);
    app.register_and_run("cus-1", NUMBER);
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    let status = app.status("cus-1").json;
    let link = status["link"].as_str().unwrap();
    assert!(link.starts_with("https://"), "{link}");
    assert_eq!(status["provider"], "persona");

    let inquiry = persona.visit(link).unwrap();
    assert_eq!(persona.visit(link), None, "a link is good for one visit");
    app.advance(5);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    assert_eq!(app.status("cus-1").json["link"], link, "the link stays while the customer is there");

    persona.set(&inquiry, "completed", passed(ADAS));
    app.advance(900);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "pending with_provider");
    assert_eq!(app.status("cus-1").json["link"], Value::Null);
    app.advance(30);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(persona.inquiries().len(), 1);
}

#[test]
fn the_vendor_knows_the_person_by_our_id_and_not_by_the_callers() {
    let (persona, app, _) = visited();
    let [account] = &*persona.accounts() else { panic!("one account") };
    assert!(account.len() == 36 && account.matches('-').count() == 4, "a UUID: {account}");
    for request in persona.server().received() {
        let text = format!("{} {:?} {}", request.target, request.headers, request.json());
        assert!(!text.contains("cus-1"), "{text}");
    }
    drop(app);
}

#[test]
fn each_end_leads_where_the_design_says() {
    let forged = verification("verification/government-id", "failed", &[("id_tamper_detection", "failed")]);
    let blurred = verification("verification/government-id", "failed", &[("id_blur_detection", "failed")]);
    for (status, verifications, standing, codes) in [
        ("approved", passed(ADAS), "verified", &[][..]),
        ("failed", vec![forged.clone()], "pending in_review", &["authenticity.tampered"]),
        ("declined", vec![forged], "pending in_review", &["authenticity.tampered"]),
        ("failed", vec![blurred], "pending awaiting_customer", &["quality.image_unreadable"]),
        (
            "expired",
            Vec::new(),
            "pending in_review",
            &["technical.not_all_checks_completed", "technical.session_abandoned"],
        ),
        ("needs_review", passed(ADAS), "pending in_review", &["technical.unknown_result"]),
        // The vendor's word, and that the core makes nothing of it.
        ("ascended", passed(ADAS), "pending in_review", &["technical.unknown_result"; 2]),
    ] {
        let (persona, app, inquiry) = visited();
        persona.set(&inquiry, status, verifications);
        app.run_to_the_end("cus-1");
        assert_eq!(app.standing("cus-1"), standing, "{status}");
        assert_eq!(app.status("cus-1").discrepancies(), codes, "{status}");
        assert_eq!(app.status("cus-1").json["link"], Value::Null, "{status}");
    }
}

#[test]
fn a_customer_who_never_comes_goes_before_a_person() {
    let persona = Persona::start();
    let app = builder(&persona).policy(|policy| policy.retry.give_up_after = Duration::from_hours(2)).start();
    app.register_and_run("cus-1", NUMBER);
    for _ in 0..10 {
        app.advance(900);
        app.run_due();
    }
    assert_eq!(app.standing("cus-1"), "pending in_review");
    assert_eq!(app.status("cus-1").discrepancies(), ["technical.session_abandoned"]);
    assert_eq!(persona.inquiries().len(), 1);
}
