//! The sandbox's table: the end of the document number chooses what becomes of a customer.

use kyc_tests::app::TestApp;
use kyc_tests::app::reply::{codes, str};
use serde_json::{Value, json};

/// Registers a customer with this document number and runs the verification to its end.
fn ended(number: &str) -> TestApp {
    let app = TestApp::start();
    let registered = app.register("cus-1", number);
    assert_eq!(
        (&registered.json["status"], &registered.json["stage"]),
        (&json!("pending"), &json!("queued"))
    );
    app.run_to_the_end("cus-1");
    app
}

/// What one row of the table comes to: the status with its stage, whether it is final, the code that says why,
/// and the state and outcome of the verification.
#[track_caller]
fn check(number: &str, standing: &str, is_final: &Value, code: Option<&str>, state: &str, outcome: &Value) {
    let app = ended(number);
    assert_eq!(app.standing("cus-1"), standing);
    let status = app.status("cus-1").json;
    assert_eq!(status["final"], *is_final);
    assert_eq!(codes(&status["discrepancies"]), Vec::from_iter(code));
    assert_eq!(status["decided_at"].is_null(), standing.starts_with("pending"), "{status}");
    assert_eq!((&status["next_attempt_at"], &status["link"]), (&Value::Null, &Value::Null));
    assert_eq!((&status["valid_until"], &status["provider"]), (&Value::Null, &json!("sandbox")));

    let [only] = &*app.verifications("cus-1") else { panic!("one verification") };
    assert_eq!((str(&only["state"]), &only["outcome"]), (state, outcome));
    assert_eq!(only["verification_id"], status["verification_id"]);
    assert_eq!(only["discrepancies"], status["discrepancies"]);
    assert_eq!(only["submitted_at"], status["submitted_at"]);
    assert_eq!(only["submitted_at"].is_null(), state == "failed");
    assert!(only["completed_at"].is_string());
    let customer = app.get("/customers/cus-1").expect(200).json;
    assert_eq!((&customer["status"], &customer["stage"]), (&status["status"], &status["stage"]));
}

#[test]
fn any_other_number_is_verified() {
    check("925076473", "verified", &Value::Null, None, "completed", &json!("clear"));
}

#[test]
fn reject_is_rejected_for_good() {
    let code = Some("authenticity.compromised");
    check("925-REJECT", "rejected", &json!(true), code, "completed", &json!("consider"));
}

#[test]
fn consider_goes_before_a_reviewer() {
    let code = Some("authenticity.tampered");
    check("925-CONSIDER", "pending in_review", &Value::Null, code, "completed", &json!("consider"));
}

#[test]
fn mismatch_goes_before_a_reviewer() {
    let code = Some("mismatch.name");
    check("925-MISMATCH", "pending in_review", &Value::Null, code, "completed", &json!("consider"));
}

#[test]
fn retry_asks_the_customer_for_something_better() {
    let code = Some("quality.image_unreadable");
    check("925-RETRY", "pending awaiting_customer", &Value::Null, code, "completed", &json!("unusable"));
}

#[test]
fn slow_is_verified_two_seconds_later() {
    check("925-SLOW", "verified", &Value::Null, None, "completed", &json!("clear"));
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-SLOW");
    assert_eq!(app.standing("cus-1"), "pending with_provider");
    let submitted_at = app.status("cus-1").json["submitted_at"].clone();
    assert_eq!(submitted_at, "2026-03-15T12:00:00.000Z");
    app.advance(1);
    assert_eq!(app.run_due(), [], "not before its time");
    app.advance(1);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    let status = app.status("cus-1").json;
    assert_eq!(
        (&status["submitted_at"], str(&status["decided_at"])),
        (&submitted_at, "2026-03-15T12:00:02.000Z")
    );
    assert!(app.sandbox().submissions().values().all(|count| count.distinct == 1 && count.posts == 1));
}

#[test]
fn link_sends_the_customer_to_a_page_for_as_long_as_it_is_needed() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-LINK");
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    let link = app.status("cus-1").json["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("http://127.0.0.1:"), "{link}");
    app.advance(2);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(app.status("cus-1").json["link"], Value::Null);
}

#[test]
fn timeout_fails_twice_and_is_then_verified() {
    let app = TestApp::start();
    app.register("cus-1", "925-TIMEOUT");
    for failures in [1, 2] {
        app.run_due();
        assert_eq!(app.standing("cus-1"), "pending queued");
        let waiting = app.verifications("cus-1").remove(0);
        assert_eq!((&waiting["state"], &waiting["failures"]), (&json!("queued"), &json!(failures)));
        assert_eq!(waiting["submitted_at"], Value::Null);
        let next = str(&waiting["next_attempt_at"]).parse().unwrap();
        assert!(next > app.now(), "a pause before the next try");
        app.set_time(next);
    }
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(app.verifications("cus-1")[0]["failures"], 2);
    assert!(app.sandbox().submissions().values().all(|count| count.distinct == 1 && count.posts == 3));
}

#[test]
fn down_goes_before_a_reviewer_after_the_last_try() {
    let code = Some("technical.provider_unavailable");
    check("925-DOWN", "pending in_review", &Value::Null, code, "failed", &Value::Null);
    let app = ended("925-DOWN");
    assert!(app.sandbox().submissions().values().all(|count| count.distinct == 0 && count.posts == 4));
}

#[test]
fn unknown_verifies_nobody() {
    let code = Some("technical.unknown_result");
    check("925-UNKNOWN", "pending in_review", &Value::Null, code, "completed", &json!("consider"));
}

#[test]
fn the_end_of_the_number_counts_and_its_case_does_not() {
    for (number, standing) in
        [("925-reject", "rejected"), ("925-Retry", "pending awaiting_customer"), ("-REJECT-925", "verified")]
    {
        assert_eq!(ended(number).standing("cus-1"), standing, "{number}");
    }
}

#[test]
fn a_discrepancy_says_who_found_it_and_what_it_means() {
    let status = ended("925-REJECT").status("cus-1").json;
    let [found] = &status["discrepancies"].as_array().unwrap()[..] else { panic!("one discrepancy") };
    assert_eq!(found["severity"], "critical");
    assert_eq!((&found["provider"], &found["field"]), (&json!("sandbox"), &json!("identity_document")));
    assert_eq!(found["provider_code"], "sandbox.authenticity.compromised");
    assert!(str(&found["message"]).ends_with('.'));
}
