//! A customer changes: what is kept, what is cleared, and what is verified again.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::{ada, ada_in_full, passport};
use serde_json::{Value, json};

/// A verified customer `cus-1`.
fn verified() -> TestApp {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    assert_eq!(app.standing("cus-1"), "verified");
    app.advance(1);
    app
}

#[test]
fn a_customer_is_verified_renamed_verified_again_and_reported() {
    let app = verified();
    let updated = app.update("cus-1", &json!({"name": "Ada King"})).expect(200);
    assert_eq!(updated.json["reverification"], json!({"required": true, "because": ["name"]}));
    assert_eq!((&updated.json["name"], &updated.json["version"]), (&json!("Ada King"), &json!(2)));
    assert_eq!(updated.header("etag"), "\"2\"");
    assert_eq!(app.standing("cus-1"), "pending queued");
    assert_eq!(app.status("cus-1").json["decided_at"], Value::Null);
    let report = app.report("2026-03-15", "2026-03-15");
    assert_eq!((&report["verified"], &report["pending"]), (&json!(0), &json!(1)));

    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    let [second, first] = &app.verifications("cus-1")[..] else { panic!("two verifications") };
    assert_eq!((&first["cause"], &first["version"]), (&json!("registration"), &json!(1)));
    assert_eq!((&second["cause"], &second["version"]), (&json!("update"), &json!(2)));
    let report = app.report("2026-03-15", "2026-03-15");
    assert_eq!((&report["total"], &report["verified"]), (&json!(1), &json!(1)));
    assert_eq!(report["decisions"]["automatic"], 2);
}

#[test]
fn each_part_of_the_identity_is_verified_again() {
    for (field, value) in [
        ("name", json!("Augusta Ada King")),
        ("date_of_birth", json!("1990-12-11")),
        ("address", json!({"line1": "1 Main Street", "city": "London", "country": "GB"})),
        ("identity_document", passport("925076474")),
    ] {
        let app = verified();
        let updated = app.update("cus-1", &json!({field: value})).expect(200);
        assert_eq!(updated.json["reverification"], json!({"required": true, "because": [field]}));
        app.run_due();
        assert_eq!(app.standing("cus-1"), "verified");
    }
    let app = verified();
    let both = json!({"date_of_birth": "1990-12-11", "name": "Ada King", "email": "ada@example.org"});
    let updated = app.update("cus-1", &both).expect(200);
    assert_eq!(updated.json["reverification"]["because"], json!(["name", "date_of_birth"]));
}

#[test]
fn contact_and_what_policies_ask_for_besides_are_not_verified_again() {
    let app = verified();
    for (version, change) in [
        (2, json!({"email": "ada@example.org"})),
        (3, json!({"phone_number": "+33142685300"})),
        (4, json!({"nationalities": ["GB"], "gender": "x", "place_of_birth": "London"})),
        (5, json!({"tax_ids": [{"country": "GB", "number": "1234567890"}]})),
    ] {
        let updated = app.update("cus-1", &change).expect(200);
        assert_eq!(updated.json["reverification"], json!({"required": false, "because": []}));
        assert_eq!(
            (&updated.json["version"], &updated.json["status"]),
            (&json!(version), &json!("verified"))
        );
    }
    assert_eq!(app.run_due(), []);
    assert_eq!(app.verifications("cus-1").len(), 1);
}

#[test]
fn a_field_that_is_absent_keeps_its_value_and_null_clears_an_optional_one() {
    let app = TestApp::start();
    let full = ada_in_full("cus-1", "925076473");
    let before = app.post("/customers", &full).expect(201).json;
    for (name, value) in full.as_object().unwrap() {
        if name != "identity_document" {
            assert_eq!(before[name], *value, "{name}");
        }
    }
    let optional = ["nationalities", "place_of_birth", "gender", "tax_ids", "consents"];
    let nothing = Value::Object(optional.iter().map(|name| ((*name).to_owned(), Value::Null)).collect());
    let after = app.update("cus-1", &nothing).expect(200).json;
    for name in ["place_of_birth", "gender"] {
        assert_eq!(after[name], Value::Null, "{name}");
    }
    for name in ["nationalities", "tax_ids", "consents"] {
        assert_eq!(after[name], json!([]), "{name}");
    }
    for name in ["name", "email", "phone_number", "date_of_birth", "address", "identity_document"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    // A nested object is replaced as a whole.
    let short = json!({"line1": "1 Main Street", "city": "Leeds", "country": "GB"});
    let address = &app.update("cus-1", &json!({"address": short})).expect(200).json["address"];
    assert_eq!((&address["line2"], &address["postal_code"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_a_change_answers_is_what_a_read_answers() {
    let app = TestApp::start();
    let mut registered = app.post("/customers", &ada_in_full("cus-1", "925076473")).expect(201).json;
    assert_eq!(app.get("/customers/cus-1").expect(200).json, registered);
    app.advance(60);
    let mut updated =
        app.update("cus-1", &json!({"customer_id": "cus-1", "name": "Ada King"})).expect(200).json;
    updated.as_object_mut().unwrap().remove("reverification");
    assert_eq!(app.get("/customers/cus-1").expect(200).json, updated);
    registered["name"] = json!("Ada King");
    registered["version"] = json!(2);
    registered["updated_at"] = json!("2026-03-15T12:01:00.000Z");
    assert_eq!(updated, registered);
}

#[test]
fn a_change_of_nothing_makes_no_version() {
    let app = verified();
    let events = app.ledger().events.len();
    let again = app.update("cus-1", &ada("cus-1", "925076473")).expect(200);
    assert_eq!(again.json["reverification"], json!({"required": false, "because": []}));
    assert_eq!((&again.json["version"], again.header("etag")), (&json!(1), "\"1\""));
    assert_eq!(app.actions_since(events), ["customer.read"]);
    app.update("cus-1", &json!({})).expect(200);
    assert_eq!(app.verifications("cus-1").len(), 1);
}

#[test]
fn a_change_of_another_version_than_was_read_is_refused() {
    let app = verified();
    let change = |tag: &str, email: &str| {
        app.call("PUT", "/customers/cus-1").header("If-Match", tag).json(&json!({"email": email})).send()
    };
    let read = app.get("/customers/cus-1").expect(200);
    assert_eq!(read.header("etag"), "\"1\"");
    assert_eq!(change("\"1\"", "ada@example.org").expect(200).header("etag"), "\"2\"");
    for stale in ["\"1\"", "\"7\"", "W/\"2\"", "\"abc\""] {
        let refused = change(stale, "eve@example.org").expect(412);
        assert_eq!(refused.problem(), "precondition-failed");
    }
    assert_eq!(app.get("/customers/cus-1").expect(200).json["email"], "ada@example.org");
    assert_eq!(change("\"7\", \"2\"", "ada@example.net").expect(200).json["version"], 3);
    assert_eq!(change("*", "ada@example.com").expect(200).json["version"], 4);
}

#[test]
fn of_many_changes_of_one_version_one_is_stored() {
    let app = verified();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let change = |n: usize| {
            let body = json!({"name": format!("Ada {}", "X".repeat(n + 1))});
            app.call("PUT", "/customers/cus-1").header("If-Match", "\"1\"").json(&body).send().status
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || change(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 7, "{statuses:?}");
    assert_eq!(app.get("/customers/cus-1").expect(200).json["version"], 2);
    assert_eq!(app.verifications("cus-1").len(), 2);
}

#[test]
fn past_the_daily_limit_a_change_is_stored_and_waits() {
    let app = TestApp::builder().policy(|policy| policy.verifications_per_day = 1).start();
    app.register_and_run("cus-1", "925076473");
    app.advance(3600);
    let updated = app.update("cus-1", &json!({"name": "Ada King"})).expect(200);
    assert_eq!(updated.json["reverification"], json!({"required": true, "because": ["name"]}));
    assert_eq!(app.get("/customers/cus-1").expect(200).json["name"], "Ada King");
    assert_eq!(app.standing("cus-1"), "pending queued");
    assert_eq!(app.status("cus-1").json["next_attempt_at"], "2026-03-16T12:00:00.000Z");
    assert_eq!(app.run_due(), []);
    app.advance(23 * 3600 - 1);
    assert_eq!(app.run_due(), []);
    app.advance(1);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn after_a_final_rejection_a_change_is_stored_and_starts_nothing() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-REJECT");
    let updated = app.update("cus-1", &json!({"identity_document": passport("925076473")})).expect(200);
    assert_eq!(updated.json["reverification"], json!({"required": false, "because": ["final"]}));
    assert_eq!((&updated.json["version"], &updated.json["status"]), (&json!(2), &json!("rejected")));
    assert_eq!(app.get("/customers/cus-1").expect(200).json["identity_document"]["number"], "925076473");
    assert_eq!(app.run_due(), []);
    assert_eq!(app.standing("cus-1"), "rejected");
    let contact = app.update("cus-1", &json!({"email": "ada@example.org"})).expect(200);
    assert_eq!(contact.json["reverification"], json!({"required": false, "because": []}));
}

#[test]
fn a_change_takes_the_place_of_an_attempt_that_is_under_way() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-SLOW");
    assert_eq!(app.standing("cus-1"), "pending with_provider");
    app.advance(1);
    app.update("cus-1", &json!({"identity_document": passport("925-CONSIDER")})).expect(200);
    assert_eq!(app.standing("cus-1"), "pending queued");
    app.run_due();
    assert_eq!(app.standing("cus-1"), "pending in_review");
    app.advance(2);
    assert_eq!(app.run_due(), [], "the answer to what was superseded verifies nobody");
    let [second, first] = &app.verifications("cus-1")[..] else { panic!("two verifications") };
    assert_eq!((&first["state"], &second["state"]), (&json!("superseded"), &json!("completed")));
    assert_eq!(app.standing("cus-1"), "pending in_review");
}
