//! Whose request it is, with and without a proxy in between.

use kyc_server::serve::Proxies;
use kyc_tests::app::{Reply, TestApp};
use serde_json::json;

const FORWARDED: &str = "X-Forwarded-For";

/// A key that is valid from some addresses only.
fn bound_key(app: &TestApp, addresses: &[&str]) -> String {
    let key = json!({"name": "app", "role": "auditor", "allowed_addresses": addresses});
    let made = app.post("/api-keys", &key).expect(201).json;
    format!("Bearer {}", made["key"].as_str().unwrap())
}

/// What a key is answered with these forwarded addresses, each a line of its own.
fn whoami(app: &TestApp, key: &str, forwarded: &[&str]) -> Reply {
    let call = app.call("GET", "/whoami").authorization(Some(key));
    forwarded.iter().fold(call, |call, line| call.header(FORWARDED, line)).send()
}

fn behind(proxies: &str) -> TestApp {
    TestApp::builder().front(|front| front.proxies = Proxies::parse(proxies).unwrap()).start()
}

#[test]
fn asvs_4_1_3_a_spoofed_forwarded_address_changes_nothing() {
    let app = TestApp::start();
    let (far, near) = (bound_key(&app, &["10.1.2.0/24"]), bound_key(&app, &["127.0.0.1"]));
    for spoofed in ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "10.1.2.3, 127.0.0.1", "nonsense"] {
        assert_eq!(whoami(&app, &far, &[spoofed]).expect(401).problem(), "unauthorized");
        whoami(&app, &near, &[spoofed]).expect(200);
    }
    for header in ["Forwarded", "X-Real-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP"] {
        app.call("GET", "/whoami").authorization(Some(&far)).header(header, "10.1.2.3").send().expect(401);
    }
    // Not the trail either: two changes that differ in the header alone leave events that do not differ by it.
    for (id, spoofed) in [("cus-1", "10.1.2.3"), ("cus-2", "10.9.9.9")] {
        let customer = kyc_tests::app::customers::ada(id, "925076473");
        app.call("POST", "/customers").header(FORWARDED, spoofed).json(&customer).send().expect(201);
    }
    let events = format!("{:?}", app.ledger().events);
    assert!(!events.contains("10.1.2.3") && !events.contains("10.9.9.9"), "{events}");
}

#[test]
fn asvs_4_1_3_who_guesses_keys_can_not_choose_whose_quota_it_uses_up() {
    let app = TestApp::start();
    let guess = |n: usize| whoami(&app, "Bearer wrong", &[&format!("203.0.113.{n}")]).status;
    let statuses: Vec<_> = (0..25).map(guess).collect();
    assert_eq!((statuses[0], statuses[24]), (401, 429), "{statuses:?}");
}

#[test]
fn a_trusted_proxy_names_the_address_that_a_key_is_bound_to() {
    let app = behind("127.0.0.1, 10.0.0.0/8");
    let key = bound_key(&app, &["203.0.113.7"]);
    for (forwarded, status) in [
        (&["203.0.113.7"][..], 200),
        (&["::ffff:203.0.113.7"], 200),
        (&["198.51.100.1, 203.0.113.7, 10.0.0.9"], 200),
        (&["198.51.100.1", "203.0.113.7", "10.0.0.9"], 200),
        // Whatever a client writes stands left of what the proxy adds.
        (&["203.0.113.7, 198.51.100.1"], 401),
        (&["203.0.113.7", "198.51.100.1"], 401),
        (&["203.0.113.7, nonsense"], 401),
        (&["203.0.113.7,"], 401),
        (&[], 401),
    ] {
        assert_eq!(whoami(&app, &key, forwarded).status, status, "{forwarded:?}");
    }
}

#[test]
fn a_proxy_that_is_not_trusted_is_a_client_like_any_other() {
    let app = behind("10.0.0.0/8");
    let key = bound_key(&app, &["203.0.113.7"]);
    whoami(&app, &key, &["203.0.113.7"]).expect(401);
}
