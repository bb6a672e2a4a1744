//! A person is kept, held, shown everything that is held, and erased.

use kyc_core::ports::ErasureLedger;
use kyc_core::ports::ledger::LedgerError;
use kyc_tests::app::customers::{ada, ada_in_full};
use kyc_tests::app::{Reply, TestApp};
use serde_json::{Value, json};

fn erase(app: &TestApp, id: &str, parameters: &str) -> Reply {
    app.call("DELETE", &format!("/customers/{id}?{parameters}")).send()
}

fn hold(app: &TestApp, id: &str) -> Reply {
    app.put(&format!("/customers/{id}/legal-hold"), &json!({"reason": "Proceedings 7/2026"}))
}

fn lift(app: &TestApp, id: &str) -> Reply {
    app.call("DELETE", &format!("/customers/{id}/legal-hold")).send()
}

fn end(app: &TestApp, id: &str, ended_on: &Value) -> Reply {
    app.put(&format!("/customers/{id}/relationship"), &json!({ "ended_on": ended_on }))
}

fn events(app: &TestApp, query: &str) -> Vec<Value> {
    app.get(&format!("/audit-events?{query}")).expect(200).json["items"].as_array().unwrap().clone()
}

const OVERRIDING: &str = "reason=subject_request&override_retention=true";

#[test]
fn a_verified_customer_is_kept_for_five_years_and_an_override_is_audited() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    let refused = erase(&app, "cus-1", "reason=subject_request").expect(409);
    assert_eq!((refused.problem(), &refused.json["erasable_from"]), ("retention", &json!("2031-03-15")));
    erase(&app, "cus-1", "reason=subject_request&override_retention=false").expect(409);
    let erased = erase(&app, "cus-1", OVERRIDING).expect(204);
    assert_eq!(erased.text, "");
    let events = events(&app, "action=customer.erased");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["reason"], "subject_request retention_overridden");
    assert_eq!((&events[0]["actor"], &events[0]["customer_id"]), (&json!("admin:bootstrap"), &Value::Null));
    assert_eq!(events[0]["request_id"], erased.header("x-request-id"));
}

#[test]
fn an_erased_customer_is_gone_everywhere_and_counts_stay() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.register_and_run("cus-2", "925076473-MISMATCH");
    app.register_and_run("cus-3", "925076473-REJECT");
    for id in ["cus-1", "cus-2"] {
        erase(&app, id, OVERRIDING).expect(204);
    }
    for id in ["cus-1", "cus-2"] {
        let gone = |call: kyc_tests::app::Call<'_>| assert_eq!(call.send().expect(410).problem(), "erased");
        let path = |tail: &str| format!("/customers/{id}{tail}");
        for tail in ["", "?reveal=true", "/kyc-status", "/verifications", "/export"] {
            gone(app.call("GET", &path(tail)));
        }
        gone(app.call("POST", &path("/verifications")));
        gone(app.call("PUT", &path("")).json(&json!({"name": "Ada King"})));
        gone(app.call("PUT", &path("/relationship")).json(&json!({"ended_on": null})));
        gone(app.call("PUT", &path("/legal-hold")).json(&json!({"reason": "too late"})));
        gone(app.call("DELETE", &path("/legal-hold")));
        gone(app.call("DELETE", &path("?reason=court_order")));
        gone(app.call("POST", "/customers").json(&ada(id, "1")));
    }
    let listed = app.get("/customers").expect(200).json;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let found = app.post("/customers/search", &json!({"email": "ada@example.com"})).expect(200).json;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let report = app.report("2026-03-15", "2026-03-15");
    let counts =
        ["total", "verified", "pending", "rejected", "erased"].map(|name| report[name].as_i64().unwrap());
    assert_eq!(counts, [3, 0, 0, 1, 2]);
    assert_eq!(report["discrepancies"], json!([{"code": "authenticity.compromised", "count": 1}]));
    assert_eq!(report["decisions"]["automatic"], 2, "the decisions were made all the same");
    // What was done about the person is still to be told by the id.
    let actions: Vec<_> = events(&app, "customer_id=cus-1").iter().map(|one| one["action"].clone()).collect();
    assert_eq!(actions, ["customer.erased", "verification.decided", "customer.registered"]);
    assert_eq!(app.run_due(), []);
    app.post("/customers", &ada("cus-4", "1")).expect(201);
}

#[test]
fn an_answer_under_an_idempotency_key_ends_with_the_customer() {
    let app = TestApp::start();
    let register =
        || app.call("POST", "/customers").header("Idempotency-Key", "k").json(&ada("cus-1", "1")).send();
    register().expect(201);
    assert_eq!(register().expect(201).header("idempotency-replayed"), "true");
    erase(&app, "cus-1", OVERRIDING).expect(204);
    assert_eq!(register().expect(410).problem(), "erased");
    assert_eq!(app.rows()["idempotency"], 0);
}

#[test]
fn nothing_overrides_a_legal_hold() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    assert_eq!(
        hold(&app, "cus-1").expect(200).json,
        json!({"customer_id": "cus-1", "reason": "Proceedings 7/2026"})
    );
    end(&app, "cus-1", &json!("2026-01-31")).expect(200);
    for parameters in ["reason=subject_request", OVERRIDING, "reason=court_order&override_retention=true"] {
        assert_eq!(erase(&app, "cus-1", parameters).expect(409).problem(), "legal-hold");
    }
    app.set_time("2090-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(erase(&app, "cus-1", OVERRIDING).expect(409).problem(), "legal-hold");
    assert_eq!(app.erase_due(), [""; 0], "nor does the job");
    lift(&app, "cus-1").expect(204);
    lift(&app, "cus-1").expect(204);
    assert_eq!(events(&app, "action=customer.legal_hold_lifted").len(), 1);
    assert_eq!(app.erase_due(), ["cus-1"]);
    app.get("/customers/cus-1").expect(410);
}

#[test]
fn the_end_of_a_relationship_begins_the_time_and_the_job_erases_when_it_is_over() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.register_and_run("cus-2", "925076473");
    app.advance(60);
    let recorded = end(&app, "cus-1", &json!("2026-12-31")).expect(200).json;
    assert_eq!(
        recorded,
        json!({"customer_id": "cus-1", "ended_on": "2026-12-31", "erasable_from": "2031-12-31"})
    );
    let taken_back = end(&app, "cus-1", &Value::Null).expect(200).json;
    assert_eq!((&taken_back["ended_on"], &taken_back["erasable_from"]), (&Value::Null, &json!("2031-03-15")));
    end(&app, "cus-1", &json!("2026-03-01")).expect(200);
    assert_eq!(app.get("/customers/cus-1").header("etag"), "\"1\"", "the data is as before");

    app.set_time("2031-03-14T23:59:59Z".parse().unwrap());
    assert_eq!(
        erase(&app, "cus-1", "reason=retention_ended").expect(409).json["erasable_from"],
        "2031-03-15"
    );
    assert_eq!(app.erase_due(), [""; 0]);
    app.set_time("2031-03-15T00:00:00Z".parse().unwrap());
    assert_eq!(app.erase_due(), ["cus-1"], "whose relationship goes on is never erased by the job");
    app.get("/customers/cus-1").expect(410);
    let event = &events(&app, "action=customer.erased")[0];
    assert_eq!((&event["actor"], &event["reason"]), (&json!("system:retention"), &json!("retention_ended")));
    // A person may still do so, since the last decision is as old.
    erase(&app, "cus-2", "reason=registered_in_error").expect(204);
}

#[test]
fn an_export_shows_all_that_is_held_and_is_audited() {
    let app = TestApp::start();
    app.post("/customers", &ada_in_full("cus-1", "925076473-LINK")).expect(201);
    app.run_due();
    app.advance(60);
    app.update("cus-1", &json!({"name": "Ada King"})).expect(200);
    hold(&app, "cus-1").expect(200);
    end(&app, "cus-1", &json!("2026-03-01")).expect(200);
    app.run_to_the_end("cus-1");
    let export = app.get("/customers/cus-1/export").expect(200);
    assert_eq!(export.header("cache-control"), "no-store");
    let export = export.json;
    assert_eq!(
        (&export["customer"]["name"], &export["customer"]["version"]),
        (&json!("Ada King"), &json!(2))
    );
    let names: Vec<_> =
        export["versions"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Ada Lovelace", "Ada King"]);
    assert_eq!(export["versions"][0]["tax_ids"][0]["number"], "1234567890");
    let verifications = export["verifications"].as_array().unwrap();
    assert_eq!(verifications.len(), 2);
    let answered = verifications.iter().filter(|one| one["provider_answer"].is_string()).count();
    assert!(answered >= 1, "the provider's answer is there: {verifications:?}");
    assert!(verifications.iter().all(|one| one["provider_reference"].is_string()));
    assert_eq!(export["legal_hold"], "Proceedings 7/2026");
    assert_eq!(export["relationship_ended_on"], "2026-03-01");
    assert_eq!(export["audit_events"].as_array().unwrap().len(), app.ledger().events.len() - 1);
    assert_eq!(events(&app, "action=customer.exported")[0]["customer_id"], "cus-1");
    app.close_store();
    app.get("/customers/cus-1/export").expect(503);
}

#[test]
fn an_erasure_that_the_ledger_can_not_take_waits_and_readiness_is_red_meanwhile() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    app.register("cus-2", "925076473");
    erase(&app, "cus-1", OVERRIDING).expect(204);
    assert_eq!(app.block_on(app.erasure_ledger().entries()).unwrap().len(), 1, "before it was answered");
    app.erasure_ledger().fail_with(Some(LedgerError::Unavailable));
    erase(&app, "cus-2", OVERRIDING).expect(204);
    let red = app.get("/health/ready").expect(503);
    assert_eq!(red.json["detail"], "erasures can't be noted in the ledger");
    app.erasure_ledger().fail_with(None);
    app.block_on(app.kyc().record_erasures()).unwrap();
    app.get("/health/ready").expect(200);
    assert_eq!(app.block_on(app.erasure_ledger().entries()).unwrap().len(), 2);
}

#[test]
fn every_fault_is_named_and_nobody_is_erased() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    for (parameters, faults) in [
        ("", &["?reason parameter.required"][..]),
        ("reason=", &["?reason parameter.invalid"]),
        ("reason=whim", &["?reason parameter.invalid"]),
        ("reason=court_order&reason=court_order", &["?reason parameter.repeated"]),
        ("override_retention=yes", &["?override_retention parameter.invalid", "?reason parameter.required"]),
        ("reason=court_order&force=true", &["?force parameter.unknown"]),
    ] {
        assert_eq!(erase(&app, "cus-1", parameters).expect(422).faults(), faults, "{parameters}");
    }
    for (body, fault) in [
        (json!({}), "/reason field.required"),
        (json!({"reason": null}), "/reason field.required"),
        (json!({"reason": 7}), "/reason field.type"),
        (json!({"reason": " "}), "/reason reason.blank"),
        (json!({"reason": "a\u{7}b"}), "/reason reason.invalid"),
        (json!({"reason": "x".repeat(501)}), "/reason reason.too_long"),
        (json!({"reason": "a", "until": "2027-01-01"}), "/until field.unknown"),
    ] {
        let refused = app.put("/customers/cus-1/legal-hold", &body).expect(422);
        assert_eq!(refused.faults(), [fault], "{body}");
    }
    for (body, fault) in [
        (json!({}), "/ended_on field.required"),
        (json!({"ended_on": 2026}), "/ended_on field.type"),
        (json!({"ended_on": "2026-02-30"}), "/ended_on date.invalid"),
        (json!({"ended_on": "1899-12-31"}), "/ended_on ended_on.too_early"),
        (json!({"ended_on": "2027-03-16"}), "/ended_on ended_on.too_late"),
    ] {
        let refused = app.put("/customers/cus-1/relationship", &body).expect(422);
        assert_eq!(refused.faults(), [fault], "{body}");
    }
    app.get("/customers/cus-1").expect(200);
    assert_eq!(app.actions_since(1), ["customer.read"]);
}
