//! More than one provider over real HTTP: the next one where the first can't be reached, and two that agree.

use std::collections::BTreeSet;

use kyc_core::domain::document::DocumentType;
use kyc_core::usecase::Ran;
use kyc_tests::app::TestApp;
use kyc_tests::app::fleet::Fleet;
use kyc_tests::app::outage::Wire;
use kyc_tests::app::reply::str;
use serde_json::json;

fn of_two() -> (TestApp, Fleet) {
    let fleet = Fleet::new(&["first", "second"]);
    let app = TestApp::builder().fleet(&fleet).start();
    (app, fleet)
}

#[test]
fn where_the_first_can_not_be_reached_the_second_is_asked() {
    let (app, fleet) = of_two();
    fleet.set("first", Wire::Refused);
    app.register_and_run("cus-1", "925076473");
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(str(&app.status("cus-1").json["provider"]), "second");
    assert_eq!(app.actions_since(1), ["verification.moved", "verification.decided"]);
    // It is back for the next one.
    fleet.set("first", Wire::Open);
    app.register_and_run("cus-2", "925076473");
    assert_eq!(str(&app.status("cus-2").json["provider"]), "first");
    assert_eq!((fleet.submissions("first").len(), fleet.submissions("second").len()), (1, 1));
    fleet.check_submissions();
}

#[test]
fn an_answer_that_was_lost_is_asked_for_where_the_question_went() {
    let (app, fleet) = of_two();
    for wire in [Wire::Deaf, Wire::Cut] {
        let id = format!("cus-{wire:?}");
        fleet.set("first", wire);
        app.register(&id, "925076473");
        assert_eq!(app.run_due(), [Ran::Deferred], "{wire:?}");
        fleet.set("first", Wire::Open);
        app.run_to_the_end(&id);
        assert_eq!(
            (app.standing(&id).as_str(), str(&app.status(&id).json["provider"])),
            ("verified", "first")
        );
    }
    assert!(fleet.submissions("second").is_empty());
    fleet.check_submissions();
}

#[test]
fn the_admin_sees_how_the_providers_fare() {
    let (app, fleet) = of_two();
    let idle = |name: &str| {
        json!({
            "name": name, "state": "available", "breaker": {"state": "closed", "retry_at": null}, "calls": 0,
            "failures": 0, "latency_p50_ms": null, "latency_p95_ms": null, "last_error": null,
            "last_error_at": null,
        })
    };
    assert_eq!(app.get("/providers").expect(200).json, json!({"items": [idle("first"), idle("second")]}));
    fleet.set("first", Wire::Cut);
    for number in 0..10 {
        app.register(&format!("cus-{number}"), "925076473");
    }
    app.run_due();
    let fares = || app.get("/providers").expect(200).json["items"][0].clone();
    let down = fares();
    assert_eq!((str(&down["state"]), str(&down["breaker"]["state"])), ("unavailable", "open"));
    assert_eq!(down["breaker"]["retry_at"], "2026-03-15T12:00:05.000Z");
    assert_eq!((&down["calls"], &down["failures"]), (&json!(10), &json!(10)));
    assert_eq!(
        (str(&down["last_error"]), &down["last_error_at"]),
        ("transient", &json!("2026-03-15T12:00:00.000Z"))
    );
    assert_eq!((&down["latency_p50_ms"], &down["latency_p95_ms"]), (&json!(0), &json!(0)));
    // Who comes meanwhile is the second one's.
    app.register_and_run("cus-10", "925076473");
    assert_eq!(str(&app.status("cus-10").json["provider"]), "second");
    app.advance(5);
    assert_eq!(str(&fares()["state"]), "recovering");
    fleet.set("first", Wire::Open);
    for _ in 0..5 {
        app.advance(60);
        app.run_due();
    }
    assert_eq!(str(&fares()["state"]), "available");
    for number in 0..10 {
        assert_eq!(app.standing(&format!("cus-{number}")), "verified");
    }
    fleet.check_submissions();
}

#[test]
fn where_two_have_to_agree_one_answer_is_none() {
    let fleet = Fleet::new(&["first", "second"]);
    let passports = BTreeSet::from([DocumentType::Passport]);
    let app = TestApp::builder()
        .fleet(&fleet)
        .policy(|policy| policy.second_opinion.document_types = passports)
        .start();
    for (id, number, standing) in [
        ("cus-1", "1", "verified"),
        ("cus-2", "2-REJECT", "rejected"),
        ("cus-3", "3-MISMATCH", "pending in_review"),
    ] {
        app.register_and_run(id, number);
        assert_eq!(app.standing(id), standing);
    }
    let [second, first] = &*app.verifications("cus-1") else { panic!("two") };
    assert_eq!((str(&first["provider"]), str(&first["cause"])), ("first", "registration"));
    assert_eq!((str(&second["provider"]), str(&second["cause"])), ("second", "second_opinion"));
    assert_eq!(app.verifications("cus-3").len(), 1, "what the first could not decide is a person's");
    // The second one is away for good, and nobody is verified on one opinion.
    app.register("cus-4", "4");
    fleet.set("second", Wire::Refused);
    app.run_to_the_end("cus-4");
    assert_eq!(app.standing("cus-4"), "pending in_review");
    assert_eq!(app.status("cus-4").discrepancies(), ["technical.provider_unavailable"]);
}
