//! Bodies that are no strict JSON, are no object, or say what they are not.

use kyc_tests::app::customers::ada;
use serde_json::json;

use super::{CANARY, Untouched, refused};

/// Every path that takes a body.
const TAKERS: [(&str, &str); 3] =
    [("POST", "/customers"), ("POST", "/customers/search"), ("PUT", "/customers/cus-1")];

/// OWASP ASVS 5.0.0, 15.3.7: duplicate names.
#[test]
fn what_is_not_strict_json_is_a_400() {
    let untouched = Untouched::start();
    let duplicate = format!(r#"{{"email": "{CANARY}", "email": "ada@example.com"}}"#);
    let nested = format!(r#"{{"address": {{"city": "London", "city": "{CANARY}"}}}}"#);
    let escaped = format!(r#"{{"email": "{CANARY}", "\u0065mail": "ada@example.com"}}"#);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep_object = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    for bad in [
        "",
        " ",
        "{",
        "}",
        CANARY,
        &format!(r#"{{"{CANARY}"}}"#),
        &format!(r#"{{"name": {CANARY}}}"#),
        &format!(r#"{{"name": '{CANARY}'}}"#),
        &format!(r#"{{"name": "{CANARY}",}}"#),
        &format!(r#"{{"name": "{CANARY}"}} {{}}"#),
        &format!(r#"{{"name": "{CANARY}" /* a comment */}}"#),
        &format!("{{\"name\": \"{CANARY}\n\"}}"),
        r#"{"name": NaN}"#,
        r#"{"name": 01}"#,
        r#"{"name": "\ud800"}"#,
        "\u{feff}{}",
        &duplicate,
        &nested,
        &escaped,
        &deep,
        &deep_object,
    ] {
        for (method, path) in TAKERS {
            refused(
                untouched.app.call(method, path).text("application/json", bad),
                400,
                "malformed-json",
                &[],
            );
        }
    }
    for bytes in [&b"{\"name\": \"\xff\"}"[..], b"\xff\xfe{\x00}\x00", b"\x00"] {
        for (method, path) in TAKERS {
            refused(
                untouched.app.call(method, path).text("application/json", bytes),
                400,
                "malformed-json",
                &[],
            );
        }
    }
}

/// OWASP ASVS 5.0.0, 15.3.7: wrong types.
#[test]
fn json_that_is_no_object_is_a_422() {
    let untouched = Untouched::start();
    for bad in ["[]", "null", "7", "true", &format!("\"{CANARY}\""), &format!("[\"{CANARY}\"]")] {
        for (method, path) in TAKERS {
            let call = untouched.app.call(method, path).text("application/json", bad);
            refused(call, 422, "validation-failed", &[" field.type"]);
        }
    }
}

#[test]
fn another_media_type_or_none_is_a_415() {
    let untouched = Untouched::start();
    let body = ada("cus-2", "1").to_string();
    for (method, path) in TAKERS {
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonx",
            "application/merge-patch+json",
            "text/json",
            CANARY,
            "",
        ] {
            let call = untouched.app.call(method, path).text(media_type, body.clone());
            refused(call, 415, "unsupported-media-type", &[]);
        }
        let packed = untouched.app.call(method, path).header("Content-Encoding", "gzip");
        refused(packed.text("application/json", body.clone()), 415, "unsupported-media-type", &[]);
    }
}

#[test]
fn json_with_a_charset_is_json() {
    let app = kyc_tests::app::TestApp::start();
    let body = ada("cus-1", "1").to_string();
    app.call("POST", "/customers").text("application/json; charset=utf-8", body).send().expect(201);
    let spaced = format!("\r\n\t {} \n", ada("cus-2", "1"));
    app.call("POST", "/customers").text("Application/JSON", spaced).send().expect(201);
}

#[test]
fn a_search_is_of_exactly_one_kind() {
    let untouched = Untouched::start();
    for bad in [
        json!({}),
        json!({"email": null}),
        json!({"name": "Ada"}),
        json!({"date_of_birth": "1990-12-10"}),
        json!({"email": "ada@example.com", "phone_number": "+442079460958"}),
        json!({"email": "ada@example.com", "name": "Ada", "date_of_birth": "1990-12-10"}),
    ] {
        untouched.refuses("/customers/search", &bad, &[" search.one_of"]);
    }
    for (bad, fault) in [
        (json!({"email": CANARY}), "/email email.invalid"),
        (json!({"phone_number": CANARY}), "/phone_number phone_number.invalid"),
        (json!({"document_number": format!("{CANARY}?")}), "/document_number document_number.invalid"),
        (json!({"document_number": "•••••6473"}), "/document_number field.masked"),
        (json!({"name": "Ada", "date_of_birth": CANARY}), "/date_of_birth date.invalid"),
        (json!({"name": "\u{202e}", "date_of_birth": "1990-12-10"}), "/name name.blank"),
    ] {
        untouched.refuses("/customers/search", &bad, &[fault]);
    }
    untouched.refuses(
        "/customers/search?limit=3",
        &json!({"email": 7, "status": CANARY}),
        &[" search.one_of", "/email field.type", "/status field.unknown", "?limit parameter.unknown"],
    );
}
