//! `Idempotency-Key`: what is asked twice is done once, and told twice.
//!
//! ASVS 5.0.0: 2.3.3 (a change is whole or not at all), 15.4.2 (no time between check and use).

use kyc_tests::app::customers::ada;
use kyc_tests::app::files::png;
use kyc_tests::app::{Call, Reply, TestApp, document};
use serde_json::{Value, json};
use ureq::http::HeaderMap;

const DAY: i64 = 24 * 60 * 60;

fn under<'a>(app: &'a TestApp, key: &str, method: &str, path: &str) -> Call<'a> {
    app.call(method, path).header("Idempotency-Key", key)
}

/// The headers that are of the answer itself: all but those of this one exchange.
fn own(reply: &Reply) -> HeaderMap {
    let mut headers = reply.headers.clone();
    for name in ["x-request-id", "date", "idempotency-replayed"] {
        headers.remove(name);
    }
    headers
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == "true"
}

/// Checks that an answer is the first one again.
#[track_caller]
fn same(first: &Reply, again: &Reply) {
    assert!(!is_replay(first) && is_replay(again), "{}", again.text);
    assert_eq!((again.status, &again.text, own(again)), (first.status, &first.text, own(first)));
}

/// What a request may change, without the events and the record that a replay may add.
fn state(app: &TestApp) -> impl PartialEq + std::fmt::Debug + use<> {
    let ledger = app.ledger();
    let keys = app.get("/api-keys").expect(200).json;
    let written = ledger.events.iter().filter(|event| event.event.action.as_str() != "customer.read").count();
    (ledger.customers, ledger.verifications, ledger.counts, keys, written)
}

#[test]
fn every_post_and_put_of_the_document_repeats_its_answer_byte_by_byte_and_does_nothing_twice() {
    let app = TestApp::start();
    let document = document::served();
    let mut operations = document.operations();
    // The first of them registers the customer whom the others are about.
    operations.sort_by_key(|(method, template, _)| {
        (method != "POST" || template != "/customers", template.clone())
    });
    let (mut id, mut walked) = (String::new(), 0);
    for (method, template, operation) in operations {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let takes_key = parameters.into_iter().any(|parameter| {
            parameter["name"] == "Idempotency-Key"
                && parameter["in"] == "header"
                && parameter["required"] == false
        });
        // A search writes nothing, and a callback of a provider is known again by its event.
        let exempt = ["/customers/search", "/webhooks/{provider}"].contains(&template.as_str());
        let writes = ["POST", "PUT"].contains(&method.as_str()) && !exempt;
        assert_eq!(takes_key, writes, "{method} {template}");
        if !writes {
            continue;
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = (!schema.is_null()).then(|| document.resolved(schema)["example"].clone());
        let path = template.replace("{id}", &id);
        let takes_file = !operation["requestBody"]["content"]["multipart/form-data"].is_null();
        let send = |key: &str| {
            let call = under(&app, key, &method, &path);
            match &body {
                Some(body) => call.json(body).send(),
                None if takes_file => call.form(&[("side", b"front"), ("file", &png())]).send(),
                None => call.send(),
            }
        };
        let first = send("key");
        assert!((200..300).contains(&first.status), "{method} {template}: {}", first.text);
        let before = state(&app);
        let again = send("\"key\"");
        if template == "/api-keys" {
            // The one answer that bears a secret.
            assert!(is_replay(&again) && first.json["key"].is_string() && again.json["key"].is_null());
            let mut shown = first.json.clone();
            shown["key"] = Value::Null;
            assert_eq!((again.status, &again.json), (first.status, &shown));
            assert_eq!(own(&again)["content-type"], own(&first)["content-type"]);
        } else {
            same(&first, &again);
        }
        assert_eq!(state(&app), before, "{method} {template}");
        if let Some(registered) = body.as_ref().and_then(|body| body["customer_id"].as_str()) {
            registered.clone_into(&mut id);
        }
        walked += 1;
    }
    assert!(walked >= 4, "{walked}");
}

#[test]
fn of_fifty_at_once_under_one_key_one_is_done_and_the_others_are_told_of_it() {
    let app = TestApp::builder().policy(|policy| policy.verifications_per_day = 0).start();
    app.register("cus-1", "925076473");
    let body = ada("cus-2", "925076474");
    let requests: [(&str, &str, Option<Value>, u16); 4] = [
        ("POST", "/customers", Some(body), 201),
        ("PUT", "/customers/cus-1", Some(json!({"name": "Ada King"})), 200),
        ("POST", "/customers/cus-1/verifications", None, 202),
        ("POST", "/api-keys", Some(json!({"name": "app", "role": "client"})), 201),
    ];
    for (method, path, body, status) in requests {
        let before = app.ledger().events.len();
        let send = || {
            let call = under(&app, "fifty", method, path);
            match &body {
                Some(body) => call.json(body).send(),
                None => call.send(),
            }
        };
        let answers: Vec<Reply> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..50).map(|_| scope.spawn(send)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let first: Vec<&Reply> =
            answers.iter().filter(|answer| answer.status == status && !is_replay(answer)).collect();
        assert_eq!(first.len(), 1, "{method} {path} was done once");
        for answer in &answers {
            if answer.status == 409 {
                assert_eq!(answer.problem(), "idempotency-in-flight");
                assert_eq!(answer.header("retry-after"), "1");
            } else {
                assert_eq!(answer.status, status, "{}", answer.text);
            }
        }
        let events = app.ledger().events.split_off(before);
        let done = events.iter().filter(|event| event.event.action.as_str() != "customer.read").count();
        assert_eq!(done, 1, "{method} {path}: {events:?}");
        // Whoever was told to come back finds the answer.
        assert!(is_replay(&send().expect(status)));
    }
}

#[test]
fn another_body_under_a_key_is_refused_and_changes_nothing() {
    let app = TestApp::start();
    let first = under(&app, "k", "POST", "/customers").json(&ada("cus-1", "925076473")).send().expect(201);
    let before = state(&app);
    for other in [ada("cus-2", "925076473"), ada("cus-1", "925076474"), json!({})] {
        let refused = under(&app, "k", "POST", "/customers").json(&other).send().expect(422);
        assert_eq!(refused.faults(), ["Idempotency-Key idempotency_key.reused"]);
    }
    // Compared are the bytes.
    let spaced = format!("{} ", ada("cus-1", "925076473"));
    under(&app, "k", "POST", "/customers").text("application/json", spaced).send().expect(422);
    assert_eq!(state(&app), before);
    same(&first, &under(&app, "k", "POST", "/customers").json(&ada("cus-1", "925076473")).send());
}

#[test]
fn a_key_counts_for_its_api_key_its_method_and_its_path() {
    let app = TestApp::start();
    app.register("cus-1", "1");
    app.register("cus-2", "2");
    let made = |name: &str| {
        let made = app.post("/api-keys", &json!({"name": name, "role": "admin"})).expect(201).json;
        format!("Bearer {}", made["key"].as_str().unwrap())
    };
    let (one, other) = (made("one"), made("one"));
    let change = json!({"email": "ada@example.org"});
    let put = |authorization: &str, path: &str| {
        let call = under(&app, "k", "PUT", path).authorization(Some(authorization));
        is_replay(&call.json(&change).send().expect(200))
    };
    assert!(!put(&one, "/customers/cus-1"));
    assert!(!put(&one, "/customers/cus-2"), "another path");
    assert!(!put(&other, "/customers/cus-1"), "another API key of the same name");
    assert!(
        put(&one, "/customers/cus-1") && put(&one, "/customers/cus-2") && put(&other, "/customers/cus-1")
    );
    let same_key = under(&app, "k", "POST", "/customers/cus-1/verifications").authorization(Some(&one));
    assert!(!is_replay(&same_key.send().expect(202)), "another method and path");
}

#[test]
fn what_was_refused_leaves_the_key_free() {
    let app = TestApp::start();
    let register = |body: &Value| under(&app, "k", "POST", "/customers").json(body).send();
    register(&json!({"customer_id": "cus-1"})).expect(422);
    app.register("cus-1", "925076473");
    assert_eq!(register(&ada("cus-1", "925076473")).expect(409).problem(), "customer-id-taken");
    assert!(!is_replay(&register(&ada("cus-2", "925076473")).expect(201)));
    let change = |id: &str| under(&app, "u", "PUT", &format!("/customers/{id}"));
    change("cus-3").json(&json!({"name": "Ada King"})).send().expect(404);
    let stale = change("cus-1").header("If-Match", "\"7\"");
    stale.json(&json!({"name": "Ada King"})).send().expect(412);
    assert!(!is_replay(&change("cus-1").json(&json!({"name": "Ada Byron"})).send().expect(200)));
}

#[test]
fn a_change_that_changes_nothing_is_repeated_as_it_was() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let nothing = || under(&app, "k", "PUT", "/customers/cus-1").json(&json!({})).send().expect(200);
    let first = nothing();
    app.advance(60);
    app.update("cus-1", &json!({"name": "Ada King"})).expect(200);
    same(&first, &nothing());
    assert_eq!(first.header("etag"), "\"1\"");
    assert_eq!(app.get("/customers/cus-1").expect(200).header("etag"), "\"2\"");
}

#[test]
fn a_key_is_free_again_after_a_day_and_its_record_is_removed() {
    let app = TestApp::start();
    let put =
        || under(&app, "k", "PUT", "/customers/cus-1").json(&json!({"name": "Ada King"})).send().expect(200);
    app.register("cus-1", "925076473");
    put();
    app.advance(DAY - 1);
    assert!(is_replay(&put()));
    assert_eq!(app.rows()["idempotency"], 1);
    app.advance(1);
    assert_eq!(app.block_on(app.kyc().forget_expired_records(10)), Ok(1));
    assert_eq!(app.rows()["idempotency"], 0);
    assert!(!is_replay(&put()));
}

#[test]
fn what_is_no_key_is_told_with_every_other_fault() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let before = (app.ledger(), app.rows());
    let invalid = "Idempotency-Key idempotency_key.invalid";
    let long = "x".repeat(256);
    for bad in ["", "\"\"", "\"a", "a\"b", "a b", "\"a\"; b=c", "ä", &long] {
        let call = under(&app, bad, "POST", "/customers/cus-1/verifications");
        assert_eq!(call.send().expect(422).faults(), [invalid], "{bad}");
        let call = under(&app, bad, "PUT", "/customers/cus-1").json(&json!({"name": "", "colour": "red"}));
        assert_eq!(call.send().expect(422).faults(), ["/colour field.unknown", "/name name.blank", invalid]);
        let call = under(&app, bad, "PUT", "/customers/cus-1").json(&json!({"name": "Ada King"}));
        assert_eq!(call.send().expect(422).faults(), [invalid], "{bad}");
    }
    let twice = under(&app, "a", "POST", "/customers/cus-1/verifications").header("Idempotency-Key", "a");
    assert_eq!(twice.send().expect(422).faults(), [invalid]);
    assert_eq!((app.ledger(), app.rows()), before);
}

#[test]
fn who_may_not_learns_nothing_by_a_key() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let made = app.post("/api-keys", &json!({"name": "auditor", "role": "auditor"})).expect(201).json;
    let auditor = format!("Bearer {}", made["key"].as_str().unwrap());
    for key in ["k", "", "a b"] {
        for path in ["/customers/cus-1/verifications", "/customers/nobody/verifications"] {
            let call = under(&app, key, "POST", path).authorization(Some(&auditor));
            assert_eq!(call.send().expect(403).problem(), "forbidden");
        }
    }
}

#[test]
fn a_search_takes_no_key_and_is_done_each_time() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    for (email, found) in [("ada@example.com", 1), ("ada@example.org", 0)] {
        let search = json!({"email": email});
        let answer = under(&app, "k", "POST", "/customers/search").json(&search).send().expect(200);
        assert_eq!(answer.json["items"].as_array().unwrap().len(), found);
        assert!(!is_replay(&answer));
    }
    assert_eq!(app.rows()["idempotency"], 0);
}

#[test]
fn answers_that_were_swapped_by_hand_are_noticed_and_not_served() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let put = |key: &str, name: &str| {
        let body = json!({"name": format!("Ada {name}")});
        under(&app, key, "PUT", "/customers/cus-1").json(&body).send()
    };
    for (key, name) in [("k", "King"), ("l", "Byron")] {
        put(key, name).expect(200);
        assert!(is_replay(&put(key, name).expect(200)));
    }
    let database = rusqlite::Connection::open(app.data().join("kyc.db")).unwrap();
    let read = |row: i64| -> Vec<u8> {
        database.query_row("SELECT answer FROM idempotency WHERE row = ?1", [row], |row| row.get(0)).unwrap()
    };
    let (one, other) = (read(1), read(2));
    for (row, answer) in [(1, other), (2, one)] {
        let changed = database
            .execute("UPDATE idempotency SET answer = ?2 WHERE row = ?1", rusqlite::params![row, answer]);
        assert_eq!(changed, Ok(1));
    }
    drop(database);
    for (key, name) in [("k", "King"), ("l", "Byron")] {
        assert_eq!(put(key, name).expect(500).problem(), "internal");
    }
}

#[test]
fn a_replay_that_shows_personal_data_is_audited_like_any_read() {
    let app = TestApp::start();
    let register =
        || under(&app, "k", "POST", "/customers").json(&ada("cus-1", "925076473")).send().expect(201);
    register();
    register();
    let events: Vec<_> =
        app.ledger().events.into_iter().map(|event| event.event.action.to_string()).collect();
    assert_eq!(events, ["customer.registered", "customer.read"]);
}
