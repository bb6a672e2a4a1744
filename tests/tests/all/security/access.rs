//! ASVS 2.4.1, 6.3.2, 8.2.2, 14.3.2 and 15.3.3.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use kyc_tests::process::{Options, ServerProcess};
use serde_json::{Value, json};

fn key_of(app: &TestApp, role: &str) -> String {
    let made = app.post("/api-keys", &json!({"name": format!("a-{role}"), "role": role})).expect(201).json;
    format!("Bearer {}", made["key"].as_str().unwrap())
}

/// The dearest read that a key may ask for takes none of the service from the others.
#[test]
fn asvs_2_4_1_costly_requests_do_not_starve_others() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        // More than the store has connections to read with.
        for _ in 0..6 {
            scope.spawn(|| {
                // It ends by itself where the test fails.
                for _ in 0..500 {
                    if ended.load(Ordering::Relaxed) {
                        return;
                    }
                    app.get("/report?start=2020-01-01&end=2029-12-31").expect(200);
                }
            });
        }
        for _ in 0..50 {
            assert_eq!(app.status("cus-1").json["status"], "pending");
        }
        ended.store(true, Ordering::Relaxed);
    });
}

#[test]
fn asvs_6_3_2_there_is_no_default_account() {
    let home = tempfile::tempdir().unwrap();
    let options = Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path());
    let server = ServerProcess::start(&options);
    let first = server.key().to_owned();
    for guess in ["admin", "kyc", "", "00000000000000000000000000000000", "bootstrap"] {
        assert_eq!(server.client().with_key(guess).get("/whoami").status, 401, "{guess}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    let server = ServerProcess::start(&options);
    assert_ne!(server.key(), first, "a key of development lives as long as its process");
    assert_eq!(server.client().with_key(first).get("/whoami").status, 401);
}

/// The answer to who may not ask is the same whether there is a customer or not, and an id that could not exist
/// is answered like one that does not.
#[test]
fn asvs_8_2_2_an_id_that_one_may_not_see_is_answered_like_one_that_is_not_there() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let ask = |key: Option<&str>, method: &str, path: &str| {
        let call = app.call(method, path).authorization(key);
        let call = if method == "PUT" { call.json(&json!({"name": "Ada King"})) } else { call };
        let answer = call.send();
        let mut body: Value = answer.json.clone();
        body.as_object_mut().unwrap().remove("instance");
        (answer.status, body)
    };
    let auditor = key_of(&app, "auditor");
    for (key, method, tail, status) in [
        (Some(auditor.as_str()), "POST", "/verifications", 403),
        (Some(auditor.as_str()), "PUT", "", 403),
        (None, "GET", "", 401),
        (None, "PUT", "", 401),
        (None, "GET", "/kyc-status", 401),
    ] {
        let there = ask(key, method, &format!("/customers/cus-1{tail}"));
        assert_eq!(there.0, status, "{method} {tail}");
        for other in ["cus-2", "-", "%20", "a%2Fb"] {
            assert_eq!(there, ask(key, method, &format!("/customers/{other}{tail}")), "{method} {other}");
        }
    }
    let missing = ask(Some(&auditor), "GET", "/customers/cus-2");
    assert_eq!(missing.0, 404);
    for impossible in ["-", "%20", "a%2Fb", &"x".repeat(65)] {
        assert_eq!(missing, ask(Some(&auditor), "GET", &format!("/customers/{impossible}")), "{impossible}");
    }
}

#[test]
fn asvs_14_3_2_no_answer_with_personal_data_is_kept_by_a_cache() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let paths =
        ["/customers/cus-1", "/customers", "/customers/cus-1/kyc-status", "/customers/cus-1/verifications"];
    for path in paths {
        assert_eq!(app.get(path).expect(200).header("cache-control"), "no-store", "{path}");
    }
    let found =
        app.post("/customers/search", &json!({"email": ada("cus-1", "925076473")["email"]})).expect(200);
    assert_eq!(found.header("cache-control"), "no-store");
}

/// What a caller may not decide is no field of a request, wherever it would stand.
#[test]
fn asvs_15_3_3_fields_that_are_not_the_callers_are_refused() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    for (name, value) in [
        ("status", json!("verified")),
        ("stage", json!("in_review")),
        ("version", json!(7)),
        ("revision", json!(7)),
        ("subject", json!("01a20c14-c55a-76f9-8237-f9a66c4e333d")),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("final", json!(false)),
        ("role", json!("admin")),
    ] {
        let registered =
            app.post("/customers", &with(ada("cus-2", "533380006"), name, value.clone())).expect(422);
        let changed = app.put("/customers/cus-1", &json!({name: value.clone()})).expect(422);
        for answer in [registered, changed] {
            assert_eq!(answer.json["errors"][0]["pointer"], format!("/{name}"));
            assert_eq!(answer.json["errors"][0]["code"], "field.unknown");
        }
    }
    for name in ["id", "key", "created_at", "last_used_at"] {
        let body = with(json!({"name": "app", "role": "client"}), name, json!("x"));
        app.post("/api-keys", &body).expect(422);
    }
    assert_eq!(app.status("cus-1").json["status"], "pending");
}
