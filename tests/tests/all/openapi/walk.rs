//! A walk through the whole API: what it answers is what the document announces, and what the document announces
//! is what it answers.

use std::collections::{BTreeMap, BTreeSet};

use kyc_tests::app::customers::{ada, ada_in_full, passport};
use kyc_tests::app::files::{NO_DOCUMENT, form, pdf, png};
use kyc_tests::app::{Call, TestApp, document};
use serde_json::json;

use super::super::webhooks::signed;

/// Statuses that are not met here: a role that is too low, which `flows::roles` meets at every endpoint; too many
/// requests, which it meets too; a request that takes too long, and a fault of ours.
const UNREACHED: [u16; 4] = [403, 408, 429, 500];

/// Meets every answer that can be brought about, on one service and its store's failure.
fn walk() -> TestApp {
    let app = TestApp::builder().policy(|policy| policy.verifications_per_day = 2).start();
    for (id, number) in [("a", "1"), ("b", "2-REJECT"), ("c", "3-MISMATCH"), ("d", "4-SLOW"), ("e", "5-LINK")]
    {
        app.register(id, number);
    }
    app.post("/customers", &ada_in_full("f", "6-TIMEOUT")).expect(201);
    app.run_due();
    let report = "/report?start=2026-03-01&end=2026-03-31";
    for id in ["a", "b", "c", "d", "e", "f"] {
        for path in ["", "/kyc-status", "/verifications"] {
            app.get(&format!("/customers/{id}{path}")).expect(200);
        }
    }
    for path in [
        "/customers",
        report,
        "/whoami",
        "/providers",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/docs",
    ] {
        app.get(path).expect(200);
    }
    app.call("GET", report).header("Accept", "text/csv").send().expect(200);
    app.get("/problems/not-found").expect(200);
    app.get("/problems/nothing").expect(404);
    app.post("/customers/search", &json!({"email": "ada@example.com"})).expect(200);
    app.update("a", &json!({"name": "Ada King", "identity_document": passport("7")})).expect(200);
    app.call("POST", "/customers/c/verifications").send().expect(202);
    app.call("POST", "/customers/c/verifications").send().expect(429);
    app.call("POST", "/customers/b/verifications").send().expect(409);
    live_and_go(&app);
    files(&app);
    let key = app.post("/api-keys", &json!({"name": "app", "role": "client"})).expect(201).json;
    app.get("/api-keys").expect(200);
    app.get("/audit-events").expect(200);
    app.call("DELETE", &format!("/api-keys/{}", key["id"].as_str().unwrap())).send().expect(204);
    app.post("/customers", &ada("a", "1")).expect(409);
    app.call("PUT", "/customers/a").header("If-Match", "\"7\"").json(&json!({})).send().expect(412);
    app.call("PUT", "/customers/a").header("If-Match", "7").json(&json!({})).send().expect(400);
    call_back(&app);
    for (method, template, operation) in document::served().operations() {
        let template = template.replace("{document_id}", NO_DOCUMENT);
        let (path, missing) = (template.replace("{id}", "a"), template.replace("{id}", "nobody"));
        // What it demands is given where the fault is another one.
        let needed = if operation["operationId"] == "eraseCustomer" { "?reason=court_order" } else { "" };
        let takes_body = !operation["requestBody"]["content"]["application/json"].is_null();
        let takes_file = operation["operationId"] == "addDocument";
        let with_body = |call: Call<'_>| match (takes_body, takes_file) {
            (_, true) => call.form(&[("side", b"front"), ("file", &png())]).send(),
            (true, false) => call.json(&json!({})).send(),
            (false, false) => call.send(),
        };
        if !operation["security"].is_null() {
            app.call(&method, &path).authorization(None).send().expect(401);
            let unknown = app.call(&method, &format!("{path}?nothing=1"));
            with_body(unknown).expect(422);
        }
        if path != missing {
            let nobody = app.call(&method, &format!("{missing}{needed}"));
            with_body(nobody).expect(404);
            if template.starts_with("/customers/") {
                let gone = app.call(&method, &format!("{}{needed}", template.replace("{id}", "gone")));
                with_body(gone).expect(410);
            }
        }
        if takes_file {
            let (media_type, whole) = form(&[("side", b"front"), ("file", &png())]);
            app.call(&method, &path).text(&media_type, &whole[..90]).send().expect(400);
            app.call(&method, &path).text("text/plain", "{}").send().expect(415);
            let large = app.call(&method, &path).header("Connection", "close");
            large.text(&media_type, " ".repeat(11_000_000)).send().expect(413);
        } else if takes_body {
            app.call(&method, &path).text("application/json", "{").send().expect(400);
            app.call(&method, &path).text("text/plain", "{}").send().expect(415);
            let large = app.call(&method, &path).header("Connection", "close");
            large.text("application/json", " ".repeat(300_000)).send().expect(413);
        }
    }
    app
}

/// Meets what a provider's callback is answered with.
fn call_back(app: &TestApp) {
    let verification = app.status("a").json["verification_id"].clone();
    let body = json!({"event_id": "e1", "verification_id": verification, "state": "processing"}).to_string();
    signed(app, &body).send().expect(200);
    signed(app, "{").send().expect(422);
    app.call("POST", "/webhooks/sandbox").text("", body.clone()).send().expect(401);
    app.call("POST", "/webhooks/nobody").text("", body).send().expect(404);
    let large = app.call("POST", "/webhooks/sandbox").header("Connection", "close");
    large.text("", " ".repeat(300_000)).send().expect(413);
}

/// Meets what the endpoints of files answer, and leaves one with `a` and one with `d`, who is under a hold.
fn files(app: &TestApp) {
    let added = app.send_file("a", "front", &png()).expect(201);
    app.get("/customers/a/documents").expect(200);
    app.get(added.header("location")).expect(200);
    let other = app.send_file("a", "back", &pdf("a", 100)).expect(201);
    app.call("DELETE", other.header("location").trim_end_matches("/content")).send().expect(204);
    app.send_file("a", "selfie", &png()).expect(409);
    let held = app.send_file("d", "front", &png()).expect(201);
    app.call("DELETE", held.header("location").trim_end_matches("/content")).send().expect(409);
    app.get("/customers/a/export").expect(200);
}

/// Meets what the endpoints of keeping and erasing answer, and leaves `gone` erased and `d` under a hold.
fn live_and_go(app: &TestApp) {
    app.register("gone", "7");
    app.put("/customers/gone/relationship", &json!({"ended_on": "2026-01-31"})).expect(200);
    app.put("/customers/gone/legal-hold", &json!({"reason": "case 7"})).expect(200);
    app.get("/customers/gone/export").expect(200);
    app.get("/customers/gone/links").expect(200);
    let erase = || app.call("DELETE", "/customers/gone?reason=court_order&override_retention=true").send();
    erase().expect(409);
    app.call("DELETE", "/customers/gone/legal-hold").send().expect(204);
    erase().expect(204);
    app.post("/customers", &ada("gone", "7")).expect(410);
    app.put("/customers/d/legal-hold", &json!({"reason": "case 8"})).expect(200);
}

#[test]
fn what_the_document_announces_can_be_met() {
    let app = walk();
    app.close_store();
    app.get("/health/ready").expect(503);
    for path in ["/customers", "/customers/a"] {
        app.get(path).expect(503);
    }
    app.post("/customers", &ada("g", "1")).expect(503);
    app.post("/customers/search", &json!({"email": "ada@example.com"})).expect(503);
    app.update("a", &json!({"email": "ada@example.org"})).expect(503);
    app.call("POST", "/customers/d/verifications").send().expect(503);
    app.post("/api-keys", &json!({"name": "app", "role": "client"})).expect(503);
    app.put("/customers/a/relationship", &json!({"ended_on": "2026-01-31"})).expect(503);
    app.put("/customers/a/legal-hold", &json!({"reason": "case 9"})).expect(503);
    app.call("DELETE", "/customers/d/legal-hold").send().expect(503);
    app.call("DELETE", "/customers/a?reason=court_order&override_retention=true").send().expect(503);
    app.get("/customers/a/export").expect(503);
    app.get("/customers/a/links").expect(503);
    let verification = app.status("d").json["verification_id"].clone();
    let body = json!({"event_id": "e2", "verification_id": verification, "state": "processing"}).to_string();
    signed(&app, &body).send().expect(503);
    app.send_file("a", "front", &png()).expect(503);
    let kept = app.files("a");
    let file = format!("/customers/a/documents/{}", kept[0]["document_id"].as_str().unwrap());
    app.get(&format!("{file}/content")).expect(503);
    app.call("DELETE", &file).send().expect(503);

    let mut unmet: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let seen = app.seen();
    for (method, template, operation) in document::served().operations() {
        for status in operation["responses"].as_object().unwrap().keys() {
            let status = status.parse().unwrap();
            let met = seen.contains(&(method.clone(), template.clone(), status));
            if !met && !UNREACHED.contains(&status) {
                unmet.entry(format!("{method} {template}")).or_default().insert(status);
            }
        }
    }
    // What every endpoint behind authentication may answer, and some have no way to: nothing of a request without
    // a body can be unreadable, and these read from what a store that can't write still has. That a request is in
    // flight takes two at the same moment; `flows::idempotency` has fifty.
    let general = |statuses: &[u16]| statuses.iter().copied().collect::<BTreeSet<_>>();
    let expected = [
        ("DELETE /api-keys/{id}", general(&[400, 503])),
        ("DELETE /customers/{id}", general(&[400])),
        ("DELETE /customers/{id}/documents/{document_id}", general(&[400])),
        ("DELETE /customers/{id}/legal-hold", general(&[400])),
        ("GET /api-keys", general(&[400, 503])),
        ("GET /audit-events", general(&[400, 503])),
        ("GET /customers", general(&[400])),
        ("GET /customers/{id}", general(&[400])),
        ("GET /customers/{id}/documents", general(&[400, 503])),
        ("GET /customers/{id}/documents/{document_id}/content", general(&[400])),
        ("GET /customers/{id}/export", general(&[400])),
        ("GET /customers/{id}/kyc-status", general(&[400, 503])),
        ("GET /customers/{id}/links", general(&[400])),
        ("GET /customers/{id}/verifications", general(&[400, 503])),
        ("GET /health/live", general(&[503])),
        ("GET /providers", general(&[400, 503])),
        ("GET /report", general(&[400, 503])),
        ("GET /whoami", general(&[400, 503])),
        ("POST /api-keys", general(&[409])),
        ("POST /customers/{id}/verifications", general(&[400])),
        ("POST /webhooks/{provider}", general(&[400])),
        ("PUT /customers/{id}", general(&[409])),
        ("PUT /customers/{id}/legal-hold", general(&[409])),
        ("PUT /customers/{id}/relationship", general(&[409])),
    ];
    assert_eq!(unmet, expected.into_iter().map(|(name, statuses)| (name.to_owned(), statuses)).collect());
}

#[test]
fn what_is_answered_is_announced_to_the_last_field() {
    let app = walk();
    // The harness has looked at each answer; that it does look is shown here by answers that are not announced.
    let document = document::served();
    let get = "GET".parse().unwrap();
    let mut status = app.status("b");
    assert_eq!(document.violations(&get, "/customers/b/kyc-status", &status), [""; 0]);
    status.json["provider"] = json!(null);
    status.json["discrepancies"][0]["code"] = json!("mismatch.shoe_size");
    status.json["colour"] = json!("red");
    assert_eq!(
        document.violations(&get, "/customers/b/kyc-status", &status),
        [
            "body/provider: null, and the schema does not allow it",
            "body/discrepancies/0/code: not one of the words of the schema",
            "body/colour: not in the schema",
        ]
    );
    status.status = 418;
    let unannounced = document.violations(&get, "/customers/b/kyc-status", &status);
    assert_eq!(unannounced, ["/customers/{id}/kyc-status get does not announce a 418"]);
    assert_eq!(document.violations(&get, "/nothing", &status), ["418 where the document has no path"]);
    let delete = "DELETE".parse().unwrap();
    assert_eq!(document.violations(&delete, "/whoami", &status), ["/whoami has no delete"]);
}

#[test]
fn paths_that_other_services_have_are_not_here_unannounced() {
    let app = TestApp::start();
    let paths = document::served().json["paths"].as_object().unwrap();
    for path in [
        "/metrics",
        "/console",
        "/spec",
        "/swagger",
        "/swagger-ui",
        "/redoc",
        "/admin",
        "/debug",
        "/actuator",
        "/api-keys",
        "/audit-events",
        "/reviews",
        "/health",
        "/favicon.ico",
        "/robots.txt",
        "/docs/",
    ] {
        if !paths.contains_key(path) {
            app.get(path).expect(404);
        }
    }
}

#[test]
fn a_path_finds_its_template() {
    let document = document::served();
    for (path, template) in [
        ("/customers", Some("/customers")),
        ("/customers?x=/y", Some("/customers")),
        ("/customers/search", Some("/customers/search")),
        ("/customers/a", Some("/customers/{id}")),
        ("/customers/a/kyc-status", Some("/customers/{id}/kyc-status")),
        ("/customers/", None),
        ("/customers/a/b/c", None),
        ("/", None),
    ] {
        assert_eq!(document.template(path), template, "{path}");
    }
}
