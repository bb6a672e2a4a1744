//! What a supervisor and a balancer are told.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use serde_json::json;

#[test]
fn a_service_that_works_is_alive_and_ready() {
    for app in [TestApp::start(), TestApp::builder().workers(2).start()] {
        assert_eq!(app.get("/health/live").expect(200).json, json!({"status": "ok"}));
        // Workers beat before their first look at the queue, which may be a moment after the first answer.
        let ready = (0..10_000).any(|_| app.get("/health/ready").status == 200);
        assert!(ready);
    }
}

#[test]
fn a_service_whose_workers_are_dead_is_alive_and_not_ready() {
    let app = TestApp::builder().dead_workers().start();
    app.get("/health/live").expect(200);
    let refused = app.get("/health/ready").expect(503);
    assert_eq!(refused.problem(), "unavailable");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0));
    // What it can do it does.
    app.register("cus-1", "925076473");
}

#[test]
fn without_a_store_that_writes_nothing_is_accepted_and_no_personal_data_is_shown() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.close_store();
    app.get("/health/live").expect(200);
    assert_eq!(app.get("/health/ready").expect(503).problem(), "unavailable");
    app.post("/customers", &ada("cus-2", "1")).expect(503);
    app.update("cus-1", &json!({"name": "Ada King"})).expect(503);
    app.call("POST", "/customers/cus-1/verifications").send().expect(503);
    // A read of personal data must be audited, and can't be.
    for refused in [
        app.get("/customers/cus-1"),
        app.get("/customers"),
        app.post("/customers/search", &json!({"email": "ada@example.com"})),
        app.update("cus-1", &json!({})),
    ] {
        let refused = refused.expect(503);
        assert!(!refused.text.contains("Ada"));
    }
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(app.verifications("cus-1").len(), 1);
    assert_eq!(app.report("2026-03-15", "2026-03-15")["total"], 1);
}

#[test]
fn without_randomness_nothing_is_accepted_and_nothing_is_half_done() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    let before = app.ledger();
    app.entropy().set_failing(true);
    let named = |method: &str, path: &str| app.call(method, path).header("X-Request-Id", "r-1");
    named("POST", "/customers").json(&ada("cus-2", "1")).send().expect(503);
    named("PUT", "/customers/cus-1").json(&json!({"name": "Ada King"})).send().expect(503);
    named("GET", "/customers/cus-1").send().expect(503);
    assert_eq!(named("GET", "/customers/cus-1/kyc-status").send().expect(200).json["status"], "verified");
    assert_eq!(app.ledger(), before);
    app.entropy().set_failing(false);
    app.register("cus-2", "1");
}
