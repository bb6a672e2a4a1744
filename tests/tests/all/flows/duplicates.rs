//! Customers who share what only one should have go before a person, and client keys are not told why.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use serde_json::{Value, json};

/// The sample under another id.
fn double(id: &str) -> Value {
    let mut double = ada("cus-1", "925076473");
    double["customer_id"] = json!(id);
    double
}

fn codes(app: &TestApp, id: &str) -> Vec<String> {
    app.status(id).discrepancies().into_iter().map(ToOwned::to_owned).collect()
}

#[test]
fn two_who_register_at_once_and_are_decided_in_one_batch_are_both_found() {
    let app = TestApp::start();
    let rounds = 30;
    for round in 0..rounds {
        std::thread::scope(|scope| {
            for side in ["left", "right"] {
                let mut customer = ada(&format!("{side}-{round}"), &format!("number {round}"));
                let person = ada(&format!("cus-{}", round + 2), "1");
                customer["date_of_birth"] = person["date_of_birth"].clone();
                customer["identity_document"]["issuing_country"] = json!("GB");
                let app = &app;
                scope.spawn(move || app.post("/customers", &customer).expect(201));
            }
        });
        app.run_due();
        for side in ["left", "right"] {
            let id = format!("{side}-{round}");
            assert_eq!(app.standing(&id), "pending in_review", "{id}");
            assert_eq!(codes(&app, &id), ["duplicate.person", "duplicate.document"], "{id}");
        }
    }
}

#[test]
fn workers_find_the_one_who_is_decided_later_at_least() {
    let app = TestApp::builder().workers(8).start();
    for round in 0..20 {
        for side in ["left", "right"] {
            let mut customer = ada(&format!("{side}-{round}"), "1");
            customer["identity_document"]["number"] = json!(format!("n-{round}"));
            customer["identity_document"]["issuing_country"] = json!("GB");
            app.post("/customers", &customer).expect(201);
        }
    }
    let is_decided = |id: &str| {
        app.status(id).json["decided_at"] != Value::Null || app.standing(id).ends_with("in_review")
    };
    for round in 0..20 {
        let pair = ["left", "right"].map(|side| format!("{side}-{round}"));
        while !pair.iter().all(|id| is_decided(id)) {
            std::thread::yield_now();
        }
        let doubles = pair.iter().filter(|id| codes(&app, id).contains(&"duplicate.document".to_owned()));
        assert!(doubles.count() >= 1, "round {round}");
    }
}

#[test]
fn a_client_sees_that_somebody_looks_and_not_why() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.post("/customers", &double("cus-2")).expect(201);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(app.standing("cus-2"), "pending in_review");
    let new = json!({"name": "client", "role": "client"});
    let key = app.post("/api-keys", &new).expect(201).json["key"].as_str().unwrap().to_owned();
    let call = app.call("GET", "/customers/cus-2/kyc-status").authorization(Some(&format!("Bearer {key}")));
    let status = call.send().expect(200);
    assert_eq!(status.discrepancies(), ["review.pending"]);
    assert!(!status.text.contains("duplicate"), "{}", status.text);
}

#[test]
fn a_reviewer_sees_who_shares_what() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    app.register("cus-2", "925076474");
    app.advance(1);
    app.post("/customers", &double("cus-3")).expect(201);
    app.run_due();
    let links = app.get("/customers/cus-1/links").expect(200);
    assert_eq!(links.header("cache-control"), "no-store");
    let all = json!(["document", "person", "email", "phone_number"]);
    assert_eq!(
        links.json["items"],
        json!([
            {"customer_id": "cus-3", "status": "pending", "stage": "in_review", "shares": all},
            {"customer_id": "cus-2", "status": "verified", "stage": null, "shares": ["email", "phone_number"]},
        ])
    );
    let events = app.get("/audit-events?customer_id=cus-1&action=customer.links_read").expect(200).json;
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
}
