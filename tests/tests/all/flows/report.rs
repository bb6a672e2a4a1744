//! The report: how many, how fast, and what did not fit.

use kyc_tests::app::TestApp;
use serde_json::{Value, json};

fn csv(app: &TestApp, query: &str, accept: &str) -> kyc_tests::app::Reply {
    app.call("GET", &format!("/report?{query}")).header("Accept", accept).send().expect(200)
}

#[test]
fn customers_are_counted_by_the_day_of_registration_to_the_last_moment_of_it() {
    let app = TestApp::builder().starting_at("2026-01-31T23:59:59.999Z".parse().unwrap()).start();
    app.register("late", "1");
    app.set_time("2026-02-01T00:00:00Z".parse().unwrap());
    app.register("early", "2");
    app.set_time("2026-02-03T12:00:00Z".parse().unwrap());
    app.register("last", "3-REJECT");
    app.run_due();

    let by_day = |date: &str, verified: i64, rejected: i64| json!({"date": date, "verified": verified, "pending": 0, "rejected": rejected});
    let report = app.report("2026-01-31", "2026-02-03");
    assert_eq!(
        report["by_day"],
        json!([
            by_day("2026-01-31", 1, 0),
            by_day("2026-02-01", 1, 0),
            by_day("2026-02-02", 0, 0),
            by_day("2026-02-03", 0, 1),
        ])
    );
    assert_eq!((&report["start"], &report["end"]), (&json!("2026-01-31"), &json!("2026-02-03")));
    for (start, end, total) in [
        ("2026-01-31", "2026-01-31", 1),
        ("2026-02-01", "2026-02-01", 1),
        ("2026-02-02", "2026-02-02", 0),
        ("2026-01-31", "2026-02-02", 2),
        ("2026-02-01", "2026-02-03", 2),
        ("2025-01-01", "2026-01-30", 0),
        ("2026-02-04", "2027-01-01", 0),
    ] {
        assert_eq!(app.report(start, end)["total"], total, "{start} {end}");
    }
}

#[test]
fn statuses_discrepancies_and_decisions_are_those_of_now() {
    let app = TestApp::start();
    for (id, number) in [
        ("a", "1"),
        ("b", "2"),
        ("c", "3-REJECT"),
        ("d", "4-CONSIDER"),
        ("e", "5-MISMATCH"),
        ("f", "6-MISMATCH"),
        ("g", "7-SLOW"),
    ] {
        app.register(id, number);
    }
    app.run_due();
    app.advance(2);
    app.run_due();
    let today = app.report("2026-03-15", "2026-03-15");
    assert_eq!(
        today,
        json!({
            "start": "2026-03-15", "end": "2026-03-15",
            "total": 7, "verified": 3, "pending": 3, "rejected": 1, "erased": 0,
            "by_day": [{"date": "2026-03-15", "verified": 3, "pending": 3, "rejected": 1}],
            "discrepancies": [
                {"code": "mismatch.name", "count": 2},
                {"code": "authenticity.tampered", "count": 1},
                {"code": "authenticity.compromised", "count": 1},
            ],
            "decisions": {"automatic": 4, "manual": 0, "median_seconds": 0, "p95_seconds": 2},
        })
    );
    // Days later one of them mends what did not fit: the day of the registration changes, not that of the change.
    app.advance(3 * 86_400);
    app.update("e", &json!({"identity_document": kyc_tests::app::customers::passport("8")})).expect(200);
    app.run_due();
    let then = app.report("2026-03-15", "2026-03-15");
    assert_eq!((&then["verified"], &then["pending"], &then["total"]), (&json!(4), &json!(2), &json!(7)));
    assert_eq!(then["discrepancies"][0], json!({"code": "mismatch.name", "count": 1}));
    assert_eq!(app.report("2026-03-16", "2026-03-31")["total"], 0);
}

#[test]
fn a_range_of_ten_years_is_answered_with_every_day() {
    let app = TestApp::start();
    app.register("a", "1");
    let report = app.report("2016-03-09", "2026-03-16");
    assert_eq!(report["by_day"].as_array().unwrap().len(), 3660);
    assert_eq!(report["total"], 1);
}

#[test]
fn an_empty_range_has_no_durations() {
    let decisions = &TestApp::start().report("2026-01-01", "2026-01-01")["decisions"];
    assert_eq!(decisions["median_seconds"], Value::Null);
    assert_eq!(decisions["p95_seconds"], Value::Null);
}

#[test]
fn the_days_come_as_csv_for_who_asks_for_it() {
    let app = TestApp::start();
    app.register_and_run("a", "1");
    app.register("b", "2");
    let query = "start=2026-03-14&end=2026-03-15";
    let text = csv(&app, query, "text/csv");
    assert_eq!(text.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(text.text, "date,verified,pending,rejected\r\n2026-03-14,0,0,0\r\n2026-03-15,1,1,0\r\n");
    for accept in ["application/json", "*/*", "text/html", "application/json, text/csv;q=0.5"] {
        assert_eq!(csv(&app, query, accept).json["total"], 2, "{accept}");
    }
    let refused = app.call("GET", "/report").header("Accept", "text/csv").send().expect(422);
    assert_eq!(refused.faults(), ["?end parameter.required", "?start parameter.required"]);
}
