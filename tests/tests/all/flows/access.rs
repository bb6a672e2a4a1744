//! Who may ask, and what every answer says of its request.

use kyc_tests::app::document;
use kyc_tests::app::files::NO_DOCUMENT;
use kyc_tests::app::{KEY, TestApp};
use serde_json::json;

/// What needs no key.
pub(in super::super) const OPEN: [&str; 6] = [
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/problems/{name}",
    // Who calls here signs; `webhooks` has what happens where not.
    "/webhooks/{provider}",
];

/// A path of a template, for a customer of this id.
fn path_of(template: &str, id: &str) -> String {
    template.replace("{id}", id).replace("{document_id}", NO_DOCUMENT).replace("{name}", "not-found")
}

#[test]
fn whoami_names_who_is_behind_the_key() {
    let app = TestApp::start();
    let who = app.get("/whoami").expect(200).json;
    assert_eq!(who, json!({"name": "bootstrap", "subject": "bootstrap", "role": "admin"}));
}

#[test]
fn without_a_valid_key_nothing_is_answered_but_what_is_open() {
    let wrong = [
        None,
        Some("Bearer wrong".to_owned()),
        Some("Bearer".to_owned()),
        Some(format!("Bearer {}", &KEY[1..])),
        Some(format!("Bearer {KEY}x")),
        Some(format!("Basic {KEY}")),
        Some(KEY.to_owned()),
    ];
    let mut closed = 0;
    for (method, template, operation) in document::served().operations() {
        // One for each, since an address that goes on failing is told to wait.
        let app = TestApp::start();
        app.register("cus-1", "925076473");
        let before = app.ledger();
        let is_open = OPEN.contains(&template.as_str());
        assert_eq!(operation["security"].is_null(), is_open, "{method} {template}");
        for authorization in &wrong {
            let call =
                app.call(&method, &path_of(&template, "cus-1")).authorization(authorization.as_deref());
            // What is sent does not matter, since nothing of it is read.
            let call = if method == "GET" { call } else { call.text("text/plain", "{") };
            let answer = call.send();
            if template.starts_with("/webhooks/") {
                assert_eq!(answer.expect(404).problem(), "not-found");
            } else if is_open {
                assert_eq!(answer.status, 200, "{method} {template}");
            } else {
                let answer = answer.expect(401);
                assert_eq!(answer.problem(), "unauthorized");
                assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"kyc\"");
                closed += 1;
            }
        }
        assert_eq!(app.ledger(), before);
    }
    assert_eq!(closed, 25 * wrong.len());
}

#[test]
fn without_a_valid_key_nobody_learns_whether_a_customer_exists() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    for (method, template, _) in document::served().operations() {
        if !template.contains("{id}") {
            continue;
        }
        let answer = |id: &str| {
            let call =
                app.call(&method, &path_of(&template, id)).authorization(None).header("X-Request-Id", "r");
            let mut answer = call.send().expect(401);
            answer.headers.remove("date");
            (answer.text, format!("{:?}", answer.headers))
        };
        assert_eq!(answer("cus-1"), answer("cus-2"), "{method} {template}");
        assert_eq!(answer("cus-1"), answer("not%20an%20id"), "{method} {template}");
    }
}

#[test]
fn the_id_of_a_request_is_echoed_and_stands_in_its_audit_event() {
    let app = TestApp::start();
    let with = |id: &str| app.call("GET", "/whoami").header("X-Request-Id", id).send().expect(200);
    assert_eq!(with("my-request.1_2").header("x-request-id"), "my-request.1_2");
    let made = with("not an id");
    assert_ne!(made.header("x-request-id"), "not an id");
    assert_eq!(made.header("x-request-id").len(), 32);
    assert_ne!(app.get("/whoami").header("x-request-id"), app.get("/whoami").header("x-request-id"));

    let customer = kyc_tests::app::customers::ada("cus-1", "925076473");
    app.call("POST", "/customers").header("X-Request-Id", "register-1").json(&customer).send().expect(201);
    let missing = app.call("GET", "/customers/cus-2").header("X-Request-Id", "read-2").send().expect(404);
    assert_eq!(missing.json["instance"], "urn:request:read-2");
    let ids: Vec<_> = app.ledger().events.into_iter().map(|event| event.event.request_id).collect();
    assert_eq!(ids, [Some("register-1".to_owned())]);
}

#[test]
fn a_registration_says_where_the_customer_is_and_in_which_version() {
    let app = TestApp::start();
    let registered = app.register("A.b_c-1", "925076473");
    assert_eq!(registered.header("location"), "/customers/A.b_c-1");
    assert_eq!(registered.header("etag"), "\"1\"");
    assert_eq!(registered.json["version"], 1);
    assert_eq!(registered.json["created_at"], "2026-03-15T12:00:00.000Z");
    let read = app.get(registered.header("location")).expect(200);
    assert_eq!((read.header("etag"), &read.json), ("\"1\"", &registered.json));
}

#[test]
fn an_id_that_is_taken_is_refused_however_many_ask_at_once() {
    let app = TestApp::start();
    let customer = kyc_tests::app::customers::ada("cus-1", "925076473");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let register = || app.post("/customers", &customer).status;
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(register)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 15, "{statuses:?}");
    assert_eq!((app.ledger().customers.len(), app.ledger().events.len()), (1, 1));
}

#[test]
fn a_read_is_answered_to_head_without_its_body() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let head = app.call("HEAD", "/customers/cus-1").send().expect(200);
    assert_eq!((head.text.as_str(), head.header("etag")), ("", "\"1\""));
}
