//! Query parameters that are wrong, unknown or repeated.

use kyc_tests::app::TestApp;
use serde_json::json;

use super::{CANARY, Untouched, refused};

#[track_caller]
fn check(app: &TestApp, path: &str, faults: &[&str]) {
    refused(app.call("GET", path), 422, "validation-failed", faults);
}

#[test]
fn a_report_needs_two_days_in_order_and_not_too_far_apart() {
    let untouched = Untouched::start();
    let app = &untouched.app;
    check(app, "/report", &["?end parameter.required", "?start parameter.required"]);
    check(app, "/report?start=2026-01-01", &["?end parameter.required"]);
    check(app, "/report?start=&end=2026-01-01", &["?start parameter.invalid"]);
    for bad in ["2026-02-30", "2026-1-1", "yesterday", "2026-01-01T00:00:00Z", "20260101", CANARY, "%F0", "•"]
    {
        check(app, &format!("/report?start={bad}&end=2026-01-01"), &["?start parameter.invalid"]);
        check(
            app,
            &format!("/report?start={bad}&end={bad}"),
            &["?end parameter.invalid", "?start parameter.invalid"],
        );
    }
    check(app, "/report?start=2026-02-01&end=2026-01-31", &["?start range.reversed"]);
    check(app, "/report?start=2016-03-08&end=2026-03-16", &["?end range.too_long"]);
    check(app, "/report?start=0001-01-01&end=9999-12-31", &["?end range.too_long"]);
    let days = "start=2026-01-01&end=2026-01-01";
    check(app, &format!("/report?{days}&start=2026-01-01"), &["?start parameter.repeated"]);
    check(app, &format!("/report?{days}&status=verified"), &["?status parameter.unknown"]);
    check(
        app,
        &format!("/report?start={CANARY}&limit=1&format=csv&{CANARY}%20=1"),
        &[
            "? parameter.unknown",
            "?end parameter.required",
            "?format parameter.unknown",
            "?limit parameter.unknown",
            "?start parameter.invalid",
        ],
    );
}

#[test]
fn a_list_has_a_known_filter_a_limit_and_a_cursor_of_ours() {
    let untouched = Untouched::start();
    let app = &untouched.app;
    for bad in ["0", "201", "-1", "1.5", "4294967296", "ten", "", CANARY] {
        check(app, &format!("/customers?limit={bad}"), &["?limit parameter.invalid"]);
    }
    for bad in ["Verified", "queued", "", CANARY, "verified%20"] {
        check(app, &format!("/customers?status={bad}"), &["?status parameter.invalid"]);
    }
    for bad in ["verified", "inreview", "", CANARY] {
        check(app, &format!("/customers?stage={bad}"), &["?stage parameter.invalid"]);
    }
    for bad in ["", "x", "AAAA", CANARY, "AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        check(app, &format!("/customers?cursor={bad}"), &["?cursor parameter.invalid"]);
    }
    check(app, "/customers?status=verified&status=verified", &["?status parameter.repeated"]);
    check(app, "/customers?email=ada@example.com", &["?email parameter.unknown"]);
    check(
        app,
        &format!("/customers?limit=0&cursor={CANARY}&stage=x&status=y&role=admin"),
        &[
            "?cursor parameter.invalid",
            "?limit parameter.invalid",
            "?role parameter.unknown",
            "?stage parameter.invalid",
            "?status parameter.invalid",
        ],
    );
}

#[test]
fn a_cursor_of_nobody_is_the_end_of_nobody() {
    let app = TestApp::start();
    app.register("cus-1", "1");
    // Before every time of registration there is nobody, and after every one there is all of them.
    assert_eq!(
        app.get(&format!("/customers?cursor={}", "A".repeat(22))).expect(200).json["items"],
        json!([])
    );
    let last = app.get(&format!("/customers?cursor={}w", "_".repeat(21))).expect(200);
    assert_eq!(last.json["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn where_there_are_no_parameters_one_is_refused() {
    let untouched = Untouched::start();
    let app = &untouched.app;
    for path in
        ["/customers/cus-1", "/customers/cus-1/kyc-status", "/customers/cus-1/verifications", "/whoami"]
    {
        check(app, &format!("{path}?show=maybe"), &["?show parameter.unknown"]);
        check(app, &format!("{path}?{CANARY}%40example.com=1"), &["? parameter.unknown"]);
        check(app, &format!("{path}?{}", "a=1&".repeat(150)), &["? parameter.unknown"]);
    }
    let asked = app.call("POST", "/customers/cus-1/verifications?force=true");
    refused(asked, 422, "validation-failed", &["?force parameter.unknown"]);
    let put = app.call("PUT", "/customers/cus-1?version=1").json(&json!({"name": "   "}));
    refused(put, 422, "validation-failed", &["/name name.blank", "?version parameter.unknown"]);
    let post = app.call("POST", "/customers?dry_run=1").json(&kyc_tests::app::customers::ada("-", "1"));
    let faults = ["/customer_id customer_id.invalid", "?dry_run parameter.unknown"];
    refused(post, 422, "validation-failed", &faults);
}
