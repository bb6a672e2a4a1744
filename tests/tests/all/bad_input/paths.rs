//! Paths that lead nowhere, ids that could not exist, methods that are not there.

use kyc_tests::app::document;
use kyc_tests::app::files::{NO_DOCUMENT, png};
use kyc_tests::app::{KEY, Reply};
use serde_json::json;

use super::{CANARY, Untouched, refused};

#[test]
fn a_path_that_leads_nowhere_is_a_404() {
    let untouched = Untouched::start();
    for path in [
        "/",
        "/customer",
        "/customers/",
        "/customers//kyc-status",
        "/customers/cus-1/",
        "/customers/cus-1/status",
        "/customers/cus-1/kyc-status/x",
        "/Customers",
        "/openapi.yaml",
        "/docs/index.html",
        "/.env",
        "/../etc/passwd",
        "/problems/nothing",
        &format!("/{CANARY}"),
        &format!("/problems/{CANARY}"),
    ] {
        refused(untouched.app.call("GET", path), 404, "not-found", &[]);
    }
}

#[test]
fn an_id_that_does_not_or_could_not_exist_is_a_404() {
    let untouched = Untouched::start();
    let long = "x".repeat(65);
    for id in [
        "cus-2",
        "CUS-1",
        "cus-1%20",
        "%20",
        "cus%2F1",
        "..%2F..%2Fetc",
        "%2e%2e",
        "cus-1%00",
        "cus-1%0a",
        "cus-1;x=1",
        "%ff",
        "%e2%80%a2",
        "'%20OR%201=1--",
        CANARY,
        &long,
    ] {
        for (method, path) in [
            ("GET", format!("/customers/{id}")),
            ("GET", format!("/customers/{id}/kyc-status")),
            ("GET", format!("/customers/{id}/verifications")),
            ("POST", format!("/customers/{id}/verifications")),
            ("GET", format!("/customers/{id}/export")),
            ("GET", format!("/customers/{id}/links")),
            ("GET", format!("/customers/{id}/documents")),
            ("GET", format!("/customers/{id}/documents/{NO_DOCUMENT}/content")),
            ("DELETE", format!("/customers/{id}/documents/{NO_DOCUMENT}")),
            ("GET", format!("/customers/cus-1/documents/{id}/content")),
            ("DELETE", format!("/customers/cus-1/documents/{id}")),
            ("DELETE", format!("/customers/{id}/legal-hold")),
            ("DELETE", format!("/customers/{id}?reason=court_order&override_retention=true")),
        ] {
            refused(untouched.app.call(method, &path), 404, "not-found", &[]);
        }
        let send = untouched.app.call("POST", &format!("/customers/{id}/documents"));
        refused(send.form(&[("side", b"front"), ("file", &png())]), 404, "not-found", &[]);
        let put = untouched.app.call("PUT", &format!("/customers/{id}"));
        refused(put.json(&json!({"name": "Ada"})), 404, "not-found", &[]);
        for (tail, body) in
            [("relationship", json!({"ended_on": null})), ("legal-hold", json!({"reason": "case 7"}))]
        {
            let put = untouched.app.call("PUT", &format!("/customers/{id}/{tail}"));
            refused(put.json(&body), 404, "not-found", &[]);
        }
    }
    refused(untouched.app.call("GET", "/customers/search/kyc-status"), 404, "not-found", &[]);
}

/// OWASP ASVS 5.0.0, 4.1.4.
#[test]
fn a_method_that_is_not_there_is_a_405_that_names_those_that_are() {
    let untouched = Untouched::start();
    for (template, allowed) in [
        ("/customers", "GET, HEAD, POST"),
        ("/customers/search", "POST"),
        ("/customers/{id}", "DELETE, GET, HEAD, PUT"),
        ("/customers/{id}/relationship", "PUT"),
        ("/customers/{id}/legal-hold", "DELETE, PUT"),
        ("/customers/{id}/export", "GET, HEAD"),
        ("/customers/{id}/links", "GET, HEAD"),
        ("/customers/{id}/documents", "GET, HEAD, POST"),
        ("/customers/{id}/documents/{document_id}", "DELETE"),
        ("/customers/{id}/documents/{document_id}/content", "GET, HEAD"),
        ("/customers/{id}/kyc-status", "GET, HEAD"),
        ("/customers/{id}/verifications", "GET, HEAD, POST"),
        ("/report", "GET, HEAD"),
        ("/api-keys", "GET, HEAD, POST"),
        ("/api-keys/{id}", "DELETE"),
        ("/audit-events", "GET, HEAD"),
        ("/webhooks/{provider}", "POST"),
        ("/whoami", "GET, HEAD"),
        ("/providers", "GET, HEAD"),
        ("/health/live", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/problems/{name}", "GET, HEAD"),
    ] {
        assert!(document::served().json["paths"][template].is_object(), "{template}");
        let path = template
            .replace("{id}", "cus-1")
            .replace("{document_id}", NO_DOCUMENT)
            .replace("{name}", "not-found")
            .replace("{provider}", "sandbox");
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", CANARY] {
            let is_there = allowed.split(", ").any(|allowed| allowed == method);
            // The answer to HEAD has no body to look at.
            if is_there || method == "HEAD" {
                continue;
            }
            let refused = refused(untouched.app.call(method, &path), 405, "method-not-allowed", &[]);
            assert_eq!(refused.header("allow"), allowed, "{method} {template}");
        }
    }
    assert_eq!(document::served().json["paths"].as_object().unwrap().len(), 24, "every path is in the list");
}

/// OWASP ASVS 5.0.0, 4.1.4.
#[test]
fn trace_and_connect_are_refused_and_echo_nothing() {
    let untouched = Untouched::start();
    for line in
        ["TRACE /customers/cus-1", "TRACE /docs", "TRACE /nothing", "CONNECT kyc.test:80", "OPTIONS *"]
    {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\nX-Canary: {CANARY}\r\n\
             Connection: close\r\n\r\n"
        );
        let reply = Reply::read(&untouched.app.exchange(request.as_bytes()));
        assert!(matches!(reply.status, 404 | 405), "{line}: {}", reply.status);
        assert_eq!(reply.json["status"], reply.status, "{line}");
        let said = format!("{} {:?}", reply.text, reply.headers);
        assert!(!said.contains(KEY) && !said.contains(CANARY), "{line}: {said}");
    }
}
