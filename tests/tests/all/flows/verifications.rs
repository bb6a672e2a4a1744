//! The attempts: listed, asked for, and limited.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::passport;
use kyc_tests::app::reply::str;
use serde_json::{Value, json};

const ATTEMPTS: &str = "/customers/cus-1/verifications";

fn ask(app: &TestApp) -> kyc_tests::app::Reply {
    app.call("POST", ATTEMPTS).send()
}

#[test]
fn another_attempt_is_asked_for_and_accepted() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-RETRY");
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    app.advance(60);
    let accepted = ask(&app).expect(202).json;
    assert_eq!((&accepted["state"], &accepted["cause"]), (&json!("queued"), &json!("request")));
    assert_eq!((&accepted["version"], &accepted["provider"]), (&json!(1), &json!("sandbox")));
    assert_eq!(accepted["created_at"], "2026-03-15T12:01:00.000Z");
    assert_eq!(app.standing("cus-1"), "pending queued");
    assert_eq!(app.status("cus-1").json["verification_id"], accepted["verification_id"]);
    assert_eq!(app.verifications("cus-1")[0], accepted);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
}

#[test]
fn attempts_are_listed_newest_first_with_what_each_was_of() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-MISMATCH");
    app.advance(60);
    app.update("cus-1", &json!({"identity_document": passport("925-RETRY")})).expect(200);
    app.run_due();
    app.advance(60);
    ask(&app).expect(202);
    let all = app.verifications("cus-1");
    let told: Vec<_> = all
        .iter()
        .map(|one| (str(&one["cause"]), &one["version"], str(&one["state"]), &one["outcome"]))
        .collect();
    assert_eq!(
        told,
        [
            ("request", &json!(2), "queued", &Value::Null),
            ("update", &json!(2), "completed", &json!("unusable")),
            ("registration", &json!(1), "completed", &json!("consider")),
        ]
    );
    let times: Vec<_> = all.iter().map(|one| str(&one["created_at"])).collect();
    assert_eq!(times, ["2026-03-15T12:02:00.000Z", "2026-03-15T12:01:00.000Z", "2026-03-15T12:00:00.000Z"]);
    assert!(all.iter().all(|one| one["provider"] == "sandbox"));
}

#[test]
fn past_the_daily_limit_an_attempt_is_refused_with_its_time() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.advance(3600);
    for _ in 0..4 {
        ask(&app).expect(202);
        app.run_due();
    }
    let refused = ask(&app).expect(429);
    assert_eq!(refused.problem(), "verification-limit");
    let wait = 23 * 3600;
    assert_eq!(refused.header("retry-after"), wait.to_string());
    assert_eq!(refused.header("ratelimit"), format!("\"verifications\";r=0;t={wait}"));
    assert_eq!(refused.header("ratelimit-policy"), "\"verifications\";q=5;w=86400");
    app.advance(wait - 1);
    assert_eq!(ask(&app).expect(429).header("retry-after"), "1");
    app.advance(1);
    ask(&app).expect(202);
    ask(&app).expect(429);
}

#[test]
fn without_a_limit_there_is_none() {
    let app = TestApp::builder().policy(|policy| policy.verifications_per_day = 0).start();
    app.register_and_run("cus-1", "925076473");
    for _ in 0..12 {
        ask(&app).expect(202);
        app.run_due();
    }
    assert_eq!(app.verifications("cus-1").len(), 13);
}

#[test]
fn the_limit_is_each_customers_own() {
    let app = TestApp::builder().policy(|policy| policy.verifications_per_day = 1).start();
    for id in ["cus-1", "cus-2"] {
        app.register_and_run(id, "925076473");
    }
    ask(&app).expect(429);
    app.advance(86_400);
    ask(&app).expect(202);
    app.call("POST", "/customers/cus-2/verifications").send().expect(202);
}

#[test]
fn who_is_rejected_for_good_gets_no_other_attempt() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-REJECT");
    assert_eq!(ask(&app).expect(409).problem(), "final");
    assert_eq!(app.verifications("cus-1").len(), 1);
}

#[test]
fn a_verified_customer_can_be_looked_at_again() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    ask(&app).expect(202);
    assert_eq!(app.standing("cus-1"), "pending queued");
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn an_attempt_takes_the_place_of_the_one_that_is_under_way() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    app.advance(1);
    ask(&app).expect(202);
    let states: Vec<_> = app.verifications("cus-1").iter().map(|one| str(&one["state"]).to_owned()).collect();
    assert_eq!(states, ["queued", "superseded"]);
    assert_eq!(app.run_due().len(), 1);
    assert_eq!(app.sandbox().submissions().len(), 1);
}
