//! What an answer says that it is, and how much of it one address gets.

use kyc_tests::app::{Reply, TestApp};
use serde_json::json;

/// Answers of every kind that there is.
fn answers(app: &TestApp) -> Vec<(Reply, &'static str)> {
    app.register("cus-1", "925076473");
    let report = "/report?start=2026-03-01&end=2026-03-31";
    let csv = app.call("GET", report).header("Accept", "text/csv").send();
    let mut all = vec![(csv, "text/csv"), (app.get("/docs"), "text/html")];
    for path in ["/customers/cus-1", "/customers", report, "/whoami", "/openapi.json", "/health/live"] {
        all.push((app.get(path), "application/json"));
    }
    for refused in [
        app.get("/nothing"),
        app.get("/customers?limit=x"),
        app.post("/customers", &json!({})),
        app.call("POST", "/customers").text("text/plain", "").send(),
        app.call("POST", "/customers").text("application/json", "{").send(),
        app.call("PATCH", "/customers").send(),
        app.call("GET", "/whoami").authorization(None).send(),
    ] {
        assert!(refused.status >= 400);
        all.push((refused, "application/problem+json"));
    }
    all
}

#[test]
fn asvs_4_1_1_each_answer_is_what_its_content_type_says_with_its_charset() {
    for (answer, media_type) in answers(&TestApp::start()) {
        assert_eq!(answer.header("content-type").split("; ").next(), Some(media_type), "{}", answer.text);
        assert!(answer.header("content-type").ends_with("; charset=utf-8"), "{:?}", answer.headers);
        let is_json = !answer.json.is_null();
        assert_eq!(is_json, media_type.ends_with("json"), "{}", answer.text);
        match media_type {
            "text/csv" => assert!(answer.text.starts_with("date,verified,"), "{}", answer.text),
            "text/html" => assert!(answer.text.trim_start().starts_with('<'), "{media_type}"),
            _ => {}
        }
    }
}

#[test]
fn asvs_3_4_3_to_3_4_6_each_answer_bears_the_headers_that_bind_browsers() {
    for (answer, media_type) in answers(&TestApp::start()) {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(policy.contains("script-src"), media_type == "text/html", "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.headers.contains_key("cross-origin-opener-policy"), media_type == "text/html");
    }
}

#[test]
fn asvs_2_4_1_an_address_without_a_key_is_limited_and_applications_and_probes_are_not() {
    let app = TestApp::builder().address_rate_limit(1).start();
    let stranger = |path: &str| app.call("GET", path).authorization(None).send();
    for (path, status) in [("/docs", 200), ("/customers", 401), ("/problems/not-found", 200)] {
        let statuses: Vec<_> = (0..12).map(|_| stranger(path).status).collect();
        assert!(statuses.iter().all(|found| [status, 429].contains(found)), "{path}: {statuses:?}");
        assert!(statuses.iter().filter(|status| **status == 429).count() >= 6, "{path}: {statuses:?}");
    }
    for path in ["/whoami", "/customers"] {
        (0..12).for_each(|_| drop(app.get(path).expect(200)));
    }
    for path in ["/health/live", "/health/ready"] {
        (0..12).for_each(|_| drop(stranger(path).expect(200)));
    }
}
