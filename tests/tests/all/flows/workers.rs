//! Real workers: nobody asks them to, and everything that was accepted ends.

use std::collections::BTreeMap;

use kyc_tests::app::TestApp;
use serde_json::Value;

/// Looks at a customer until the standing is this one. Each look is a request; there is no sleep.
#[track_caller]
fn wait_for(app: &TestApp, id: &str, standing: &str) {
    const LOOKS: usize = 20_000;
    for _ in 0..LOOKS {
        if app.standing(id) == standing {
            return;
        }
    }
    panic!("{id} is {} after {LOOKS} looks", app.standing(id));
}

#[test]
fn thirty_customers_end_without_anybody_asking() {
    let app = TestApp::builder().workers(8).start();
    let rows = [
        ("1", "verified"),
        ("1-REJECT", "rejected"),
        ("1-CONSIDER", "pending in_review"),
        ("1-MISMATCH", "pending in_review"),
        ("1-RETRY", "pending awaiting_customer"),
        ("1-UNKNOWN", "pending in_review"),
    ];
    let expected: BTreeMap<String, &str> = std::thread::scope(|scope| {
        let app = &app;
        let threads: Vec<_> = (0..5)
            .map(|round| {
                scope.spawn(move || {
                    let one = |(index, (number, standing)): (usize, (&str, &'static str))| {
                        let id = format!("cus-{round}-{index}");
                        app.register(&id, number);
                        (id, standing)
                    };
                    rows.into_iter().enumerate().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(expected.len(), 30);
    for (id, standing) in expected {
        wait_for(&app, &id, standing);
    }
    assert!(app.sandbox().submissions().values().all(|count| count.posts == 1), "each was submitted once");
    assert_eq!(app.sandbox().submissions().len(), 30);
    let report = app.report("2026-03-15", "2026-03-15");
    let counts = ["total", "verified", "rejected", "pending"].map(|name| report[name].as_i64().unwrap());
    assert_eq!(counts, [30, 5, 5, 20]);
}

#[test]
fn workers_look_again_when_the_time_has_come() {
    let app = TestApp::builder().workers(2).start();
    app.register("cus-1", "925-SLOW");
    wait_for(&app, "cus-1", "pending with_provider");
    app.advance(2);
    wait_for(&app, "cus-1", "verified");
    app.update("cus-1", &serde_json::json!({"name": "Ada King"})).expect(200);
    wait_for(&app, "cus-1", "pending with_provider");
    app.advance(2);
    wait_for(&app, "cus-1", "verified");
}

#[test]
fn workers_start_anew_what_has_run_out() {
    let app = TestApp::builder().workers(2).policy(|policy| policy.decision_validity_days = Some(1)).start();
    app.register("cus-1", "925076473");
    wait_for(&app, "cus-1", "verified");
    let first = app.status("cus-1").json["valid_until"].clone();
    app.advance(86_400);
    wait_for(&app, "cus-1", "verified");
    assert_ne!(app.status("cus-1").json["valid_until"], first);
    assert_eq!(app.verifications("cus-1")[0]["cause"], Value::from("expiry"));
}

#[test]
fn a_service_that_stops_under_load_loses_nothing() {
    let app = TestApp::builder().workers(8).start();
    for n in 0..20 {
        app.register(&format!("cus-{n}"), "925076473");
    }
    // What is checked stands in the harness: each customer is where its events say, and is counted.
    drop(app);
}
