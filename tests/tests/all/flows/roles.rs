//! Roles: every endpoint of the document with a key of every role, what each role sees, and keys that end.
//!
//! ASVS 5.0.0: 8.2.1 (role x endpoint), 8.2.2, 8.2.3 (masks by role), 8.3.2 (a revoked key is dead at once),
//! 11.5.1 (keys of 256 bits, shown once, hashed), 6.3.1 (brute force slowed), 2.4.1 (limits).

use kyc_core::domain::permission::Role;
use kyc_tests::app::customers::ada;
use kyc_tests::app::files::NO_DOCUMENT;
use kyc_tests::app::{Reply, TestApp, document};
use serde_json::{Value, json};

/// Makes a key, and gives its secret.
fn key(app: &TestApp, body: &Value) -> (String, String) {
    let made = app.post("/api-keys", body).expect(201).json;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn key_of(app: &TestApp, role: Role) -> String {
    key(app, &json!({"name": format!("a-{role}"), "role": role.as_str()})).1
}

fn call(app: &TestApp, secret: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let call = app.call(method, path).authorization(Some(&format!("Bearer {secret}")));
    match body {
        Some(body) => call.json(body).send(),
        None => call.send(),
    }
}

/// The contract's table: an operation of the document, and the roles that it is for, as client, reviewer,
/// auditor, admin.
const TABLE: [(&str, [bool; 4]); 25] = [
    ("registerCustomer", [true, false, false, true]),
    ("updateCustomer", [true, false, false, true]),
    ("readCustomer", [true, true, true, true]),
    ("listCustomers", [true, true, true, true]),
    ("searchCustomers", [true, true, true, true]),
    ("addDocument", [true, false, false, true]),
    ("listDocuments", [true, true, true, true]),
    ("readDocumentContent", [false, true, false, true]),
    ("removeDocument", [true, false, false, true]),
    ("readKycStatus", [true, true, true, true]),
    ("listVerifications", [true, true, true, true]),
    ("requestVerification", [true, true, false, true]),
    ("readReport", [false, true, true, true]),
    ("listAuditEvents", [false, false, true, true]),
    ("createApiKey", [false, false, false, true]),
    ("listApiKeys", [false, false, false, true]),
    ("revokeApiKey", [false, false, false, true]),
    ("endRelationship", [true, false, false, true]),
    ("setLegalHold", [false, false, false, true]),
    ("liftLegalHold", [false, false, false, true]),
    ("eraseCustomer", [false, false, false, true]),
    ("listLinks", [false, true, false, true]),
    ("exportCustomer", [false, false, false, true]),
    ("whoami", [true, true, true, true]),
    ("listProviders", [false, false, false, true]),
];

#[test]
fn every_endpoint_of_the_document_lets_in_the_roles_of_the_contract_and_no_other() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let mut walked = 0;
    for (method, template, operation) in document::served().operations() {
        if operation["security"].is_null() {
            continue;
        }
        let id = operation["operationId"].as_str().unwrap();
        let (_, roles) = TABLE.iter().find(|(name, _)| *name == id).unwrap_or_else(|| panic!("{id}"));
        for (role, may) in Role::ALL.iter().zip(roles) {
            let secret = key_of(&app, *role);
            // What there is and what there is not: who may not is told the same of both.
            for customer in ["cus-1", "cus-2"] {
                let path = match template.as_str() {
                    "/report" => "/report?start=2026-01-01&end=2026-01-31".to_owned(),
                    other => other.replace("{id}", customer).replace("{document_id}", NO_DOCUMENT),
                };
                let body = (method != "GET" && method != "DELETE" && id != "requestVerification")
                    .then(|| json!({"nothing": "of it is read"}));
                let answer = call(&app, &secret, &method, &path, body.as_ref());
                assert_eq!(answer.status != 403, *may, "{role} {id} {}", answer.status);
                if !*may {
                    assert_eq!(answer.problem(), "forbidden");
                }
            }
        }
        walked += 1;
    }
    assert_eq!(walked, TABLE.len());
}

#[test]
fn each_role_sees_what_it_may() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    let masked = "••••••••";
    for (role, name, number) in [
        (Role::Client, masked, masked),
        (Role::Auditor, masked, masked),
        (Role::Reviewer, "Ada Lovelace", masked),
        (Role::Admin, "Ada Lovelace", "925076473"),
    ] {
        let secret = key_of(&app, role);
        let read = call(&app, &secret, "GET", "/customers/cus-1", None).expect(200).json;
        let list = call(&app, &secret, "GET", "/customers", None).expect(200).json["items"][0].clone();
        let search = json!({"email": "ada@example.com"});
        let found = call(&app, &secret, "POST", "/customers/search", Some(&search)).expect(200).json;
        for shown in [&read, &list, &found["items"][0]] {
            assert_eq!(shown["name"], name, "{role}");
            assert_eq!(shown["identity_document"]["number"], number, "{role}");
            assert_eq!(shown["status"], "pending", "{role}");
        }
        let reveal = call(&app, &secret, "GET", "/customers/cus-1?reveal=true", None);
        match role {
            Role::Client | Role::Auditor => assert_eq!(reveal.expect(403).problem(), "forbidden"),
            Role::Reviewer | Role::Admin => {
                assert_eq!(reveal.expect(200).json["identity_document"]["number"], "925076473");
            }
        }
    }
}

#[test]
fn a_client_registers_and_changes_without_seeing_more_than_it_sent() {
    let app = TestApp::start();
    let secret = key_of(&app, Role::Client);
    let made = call(&app, &secret, "POST", "/customers", Some(&ada("cus-1", "925076473"))).expect(201).json;
    assert_eq!((&made["name"], &made["customer_id"]), (&json!("••••••••"), &json!("cus-1")));
    // What was masked can't be sent back as data.
    let back = json!({"name": made["name"], "email": made["email"]});
    let refused = call(&app, &secret, "PUT", "/customers/cus-1", Some(&back)).expect(422);
    assert_eq!(refused.faults(), ["/email field.masked", "/name field.masked"]);
    let changed = call(&app, &secret, "PUT", "/customers/cus-1", Some(&json!({"name": "Ada King"})));
    assert_eq!(changed.expect(200).json["reverification"]["required"], true);
}

#[test]
fn a_key_is_shown_once_named_by_whoami_and_dead_when_revoked() {
    let app = TestApp::start();
    let (id, secret) = key(&app, &json!({"name": "app", "role": "client", "subject": "team-a"}));
    let who = call(&app, &secret, "GET", "/whoami", None).expect(200).json;
    assert_eq!(who, json!({"name": "app", "subject": "team-a", "role": "client"}));
    let listed = app.get("/api-keys").expect(200);
    assert!(!listed.text.contains(&secret), "the secret is shown once");
    assert_eq!(listed.json["items"][0]["id"], id.as_str());

    app.call("DELETE", &format!("/api-keys/{id}")).send().expect(204);
    assert_eq!(call(&app, &secret, "GET", "/whoami", None).expect(401).problem(), "unauthorized");
    app.call("DELETE", &format!("/api-keys/{id}")).send().expect(204);
    for unknown in ["not-an-id", "01a20c14-c55a-76f9-8237-f9a66c4e333d"] {
        app.call("DELETE", &format!("/api-keys/{unknown}")).send().expect(404);
    }
    let actions = app.get("/audit-events?action=api_key.revoked").expect(200).json;
    assert_eq!(actions["items"].as_array().unwrap().len(), 1, "revoked once");
    assert_eq!(actions["items"][0]["target"], format!("api_key:{id}"));
}

#[test]
fn a_key_that_ends_or_comes_from_elsewhere_is_none() {
    let app = TestApp::start();
    let end = app.now().saturating_add(jiff::SignedDuration::from_secs(60)).unwrap().to_string();
    let (_, ends) = key(&app, &json!({"name": "a", "role": "client", "expires_at": end}));
    let elsewhere = json!({"name": "b", "role": "client", "allowed_addresses": ["192.0.2.0/24"]});
    let (_, elsewhere) = key(&app, &elsewhere);
    let here = json!({"name": "c", "role": "client", "allowed_addresses": ["127.0.0.0/8"]});
    let (_, here) = key(&app, &here);
    call(&app, &ends, "GET", "/whoami", None).expect(200);
    call(&app, &here, "GET", "/whoami", None).expect(200);
    call(&app, &elsewhere, "GET", "/whoami", None).expect(401);
    // What a client says of its address changes nothing (ASVS 4.1.3).
    let spoofed = app.call("GET", "/whoami").authorization(Some(&format!("Bearer {elsewhere}")));
    spoofed.header("X-Forwarded-For", "192.0.2.7").send().expect(401);
    app.advance(60);
    call(&app, &ends, "GET", "/whoami", None).expect(401);
}

#[test]
fn every_fault_of_a_new_key_is_named() {
    let app = TestApp::start();
    let body = json!({
        "name": "a b", "role": "root", "subject": "", "expires_at": "9999-12-30T00:00:00Z",
        "allowed_addresses": ["10.0.0.1/8", 7], "secret": "mine",
    });
    let refused = app.post("/api-keys", &body).expect(422);
    let expected = [
        "/allowed_addresses/0 address_range.invalid",
        "/allowed_addresses/1 field.type",
        "/expires_at expires_at.invalid",
        "/name key_name.invalid",
        "/role role.unknown",
        "/secret field.unknown",
        "/subject key_name.invalid",
    ];
    assert_eq!(refused.faults(), expected);
}

#[test]
fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let app = TestApp::builder().rate_limit(5).start();
    let answers: Vec<Reply> = (0..30).map(|_| app.get("/whoami")).collect();
    let refused: Vec<&Reply> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers.iter().take(10).all(|answer| answer.status == 200), "the burst");
    let refused = refused.first().expect("thirty at once are more than ten");
    assert_eq!(refused.problem(), "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"requests\";q=10;w=2");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[test]
fn an_address_that_guesses_is_slowed_and_a_good_key_from_there_is_not_locked_out() {
    let app = TestApp::start();
    let statuses: Vec<u16> = (0..25).map(|_| call(&app, "wrong", "GET", "/whoami", None).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    assert!(statuses.iter().skip(20).all(|status| *status == 429));
    app.get("/whoami").expect(200);
}

#[test]
fn audit_events_are_listed_with_filters_and_pages() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    app.register("cus-2", "925076473-REJECT");
    app.run_due();
    let events = |query: &str| app.get(&format!("/audit-events{query}")).expect(200).json;
    let all = events("");
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
    assert_eq!(all["items"][0]["sequence"], 4);
    let of_one = events("?customer_id=cus-2");
    assert_eq!(of_one["items"].as_array().unwrap().len(), 2);
    assert_eq!(of_one["items"][0]["customer_id"], "cus-2");
    assert_eq!(of_one["items"][0]["to"], "rejected_final");
    assert_eq!(events("?actor=system:worker")["items"].as_array().unwrap().len(), 2);
    assert_eq!(events("?customer_id=nobody")["items"], json!([]));
    let first = events("?limit=3");
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = events(&format!("?limit=3&cursor={cursor}"));
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    let refused = app.get("/audit-events?action=nothing&since=x&limit=0&cursor=y&colour=z").expect(422);
    assert_eq!(refused.faults().len(), 5);
}
