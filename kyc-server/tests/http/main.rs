//! The server over real TCP: what clients and attackers of every kind get, byte by byte.
#![cfg(test)]

mod cors;
mod example;
mod limits;
mod server;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use kyc_server::api::body::MAX_BYTES;
use kyc_server::serve::Limits;
use poem_openapi::OpenApiService;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::example::ExampleApi;
use crate::server::{Answer, KEY, PATIENCE, Server};

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).to_vec()
}

/// OWASP ASVS 5.0.0, 3.4.3 to 3.4.6.
#[tokio::test]
async fn a_good_request_is_answered_with_every_security_header() {
    let server = Server::start().await;
    let answer = server.greet(r#"{"name": "Ada"}"#).await;
    assert_eq!((answer.status(), answer.json()), (201, json!({"length": 3})));
    for (name, value) in [
        ("location", "/greetings/1"),
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
}

#[tokio::test]
async fn swagger_ui_has_a_policy_under_which_its_script_runs() {
    let answer = Server::start().await.get("/docs").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.header("content-security-policy").unwrap().contains("script-src 'unsafe-inline'"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn whoami_names_the_actor_behind_the_key() {
    let answer = Server::start().await.get("/whoami").await;
    assert_eq!(answer.json(), json!({"name": "bootstrap", "subject": "bootstrap", "role": "admin"}));
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_a_401_before_anything_is_read() {
    let server = Server::start().await;
    for line in
        ["X-Nothing: 1", "Authorization: Bearer wrong", "Authorization: Basic YTpi", "Authorization: Bearer"]
    {
        // The body is neither JSON nor complete: it must not matter.
        let request = format!(
            "POST /greetings HTTP/1.1\r\nHost: kyc.test\r\n{line}\r\nContent-Type: text/plain\r\n\
             Content-Length: 9\r\nConnection: close\r\n\r\n{{"
        );
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!((answer.status(), answer.problem().as_str()), (401, "unauthorized"), "{line}");
        assert_eq!(answer.header("www-authenticate"), Some("bearer realm=\"kyc\""));
    }
}

#[tokio::test]
async fn all_faults_of_a_body_come_at_once() {
    let server = Server::start().await;
    let answer = server.send(
        "POST /greetings?page=2 HTTP/1.1\r\nContent-Type: application/json; charset=utf-8",
        r#"{"nickname": 7, "times": "x", "role": "admin"}"#,
    );
    let answer = answer.await;
    assert_eq!((answer.status(), answer.problem().as_str()), (422, "validation-failed"));
    assert_eq!(
        answer.faults(),
        pairs([
            ("/nickname", "field.type"),
            ("/times", "field.type"),
            ("/role", "field.unknown"),
            ("?page", "parameter.unknown"),
            ("/name", "field.required"),
        ])
    );
}

#[tokio::test]
async fn all_faults_of_a_query_come_at_once() {
    let server = Server::start().await;
    let answer = server.get("/report?start=x&start=1&stop=2").await;
    assert_eq!(answer.problem(), "validation-failed");
    let expected =
        [("?start", "parameter.repeated"), ("?end", "parameter.required"), ("?stop", "parameter.unknown")];
    assert_eq!(answer.faults(), pairs(expected));
    assert_eq!(server.get("/report?start=1&end=3").await.body, "2");
    assert_eq!(server.get("/greetings/1?x=1").await.faults(), pairs([("?x", "parameter.unknown")]));
}

#[tokio::test]
async fn what_is_not_strict_json_is_a_400_that_repeats_nothing() {
    let server = Server::start().await;
    for body in ["", "{", r#"{"name":"Ada","name":"Eve"}"#, r#"{"name":"Ada"} x"#, r#"{"name":NaN}"#] {
        let answer = server.greet(body).await;
        assert_eq!((answer.status(), answer.problem().as_str()), (400, "malformed-json"), "{body}");
        assert!(!answer.body.contains("Ada"), "{}", answer.body);
    }
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(server.greet(&deep).await.status(), 400);
    assert_eq!(server.greet("[]").await.faults(), pairs([("", "field.type")]));
}

#[tokio::test]
async fn another_media_type_is_a_415() {
    let server = Server::start().await;
    for head in ["POST /greetings HTTP/1.1\r\nContent-Type: text/plain", "POST /greetings HTTP/1.1"] {
        let answer = server.send(head, "{}").await;
        assert_eq!((answer.status(), answer.problem().as_str()), (415, "unsupported-media-type"));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_with_and_without_a_length() {
    let server = Server::start().await;
    let text = format!(r#"{{"name": "{}"}}"#, "x".repeat(4 * MAX_BYTES));
    let answer = server.greet(&text).await;
    assert_eq!((answer.status(), answer.problem().as_str()), (413, "too-large"));
    let head = format!(
        "POST /greetings HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunked = format!("{head}{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let answer = server.exchange(chunked.as_bytes()).await;
    assert_eq!((answer.status(), answer.problem().as_str()), (413, "too-large"));
    let small = format!("{head}8\r\n{{\"name\":\r\n6\r\n\"Ada\"}}\r\n0\r\n\r\n");
    assert_eq!(server.exchange(small.as_bytes()).await.status(), 201);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let server = Server::start().await;
    for path in ["/nothing", "/greetings/1/2", "/", "//", "/greetings/2", "/greetings/%ff"] {
        let answer = server.get(path).await;
        assert_eq!((answer.status(), answer.problem().as_str()), (404, "not-found"), "{path}");
    }
    for (line, allowed) in [
        ("PUT /greetings", "post"),
        ("GET /greetings", "post"),
        ("POST /greetings/1", "delete, get, head"),
        ("PATCH /whoami", "get, head"),
        ("TRACE /whoami", "get, head"),
        ("OPTIONS /whoami", "get, head"),
        ("POST /docs", "get, head"),
        ("FOO /whoami", "get, head"),
        ("CONNECT kyc.test:80", ""),
    ] {
        let answer = server.send(&format!("{line} HTTP/1.1"), "").await;
        assert_eq!((answer.status(), answer.problem().as_str()), (405, "method-not-allowed"), "{line}");
        assert_eq!(answer.header("allow").unwrap_or_default(), allowed, "{line}");
    }
}

#[tokio::test]
async fn a_refusal_of_an_endpoint_is_its_problem() {
    let answer = Server::start().await.greet(r#"{"name": "Taken"}"#).await;
    assert_eq!((answer.status(), answer.problem().as_str()), (409, "customer-id-taken"));
}

/// OWASP ASVS 5.0.0, 16.5.1.
#[tokio::test]
async fn a_panic_is_a_500_without_its_message_and_the_server_lives() {
    let server = Server::start().await;
    let answer = server.get("/greetings/panic").await;
    assert_eq!((answer.status(), answer.problem().as_str()), (500, "internal"));
    assert!(!answer.body.contains("Ada"));
    assert_eq!(server.get("/greetings/1").await.status(), 200);
}

#[tokio::test]
async fn the_request_id_is_echoed_or_made() {
    let server = Server::start().await;
    let with = async |id: &str| {
        let answer = server.send(&format!("GET /greetings/1 HTTP/1.1\r\nX-Request-Id: {id}"), "").await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(with("abc-1.2_3").await, "abc-1.2_3");
    let made = with("not well formed").await;
    assert_eq!(made.len(), 32);
    assert_ne!(with(&"x".repeat(65)).await, made);
}

/// OWASP ASVS 5.0.0, 4.2.1.
#[tokio::test]
async fn ambiguous_framing_never_leaves_a_connection_open() {
    let server = Server::start().await;
    let head = format!(
        "POST /greetings HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\n"
    );
    let smuggled = "GET /greetings/1 HTTP/1.1\r\nHost: kyc.test\r\n\r\n";
    for lengths in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        let request = format!("{head}{lengths}\r\n\r\ne\r\n{{\"name\":\"Ada\"}}\r\n0\r\n\r\n{smuggled}");
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!((answer.status(), answer.body.as_str()), (201, r#"{"length":3}"#), "{lengths}");
    }
    for bad in [
        "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "Content-Length: +2\r\n\r\n{}",
        "Content-Length: 2, 3\r\n\r\n{}",
        "Transfer-Encoding: identity\r\n\r\n",
        "Transfer-Encoding: chunked, gzip\r\n\r\n",
        "X-Bare: a\rb\r\n\r\n",
        "X Space: a\r\n\r\n",
    ] {
        let answer = server.exchange(format!("{head}{bad}{smuggled}").as_bytes()).await;
        assert_eq!((answer.status(), answer.body.as_str()), (400, ""), "{bad}");
    }
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_flight() {
    let server = Server::start().await;
    let mut idle = server.connect().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /greetings/wait HTTP/1.1\r\nHost: kyc.test\r\n\r\n").await.unwrap();
    server.begun.notified().await;
    server.stop.send(()).unwrap();
    // The idle connection is closed, which tells that the server stopped accepting.
    assert_eq!(Answer::last(&mut idle).await.head, "");
    drop(idle);
    assert!(TcpStream::connect(server.address).await.is_err());
    server.go_on.notify_one();
    let answer = Answer::last(&mut stream).await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, r#"{"length":4}"#));
    drop(stream);
    tokio::time::timeout(PATIENCE, server.served).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_off_what_does_not_finish() {
    let limits = Limits { shutdown: Duration::from_millis(50), ..Limits::default() };
    let server = Server::limited(limits, PATIENCE).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /greetings/wait HTTP/1.1\r\nHost: kyc.test\r\n\r\n").await.unwrap();
    server.begun.notified().await;
    server.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.served).await.unwrap().unwrap().unwrap();
    assert_eq!(Answer::last(&mut stream).await.head, "");
}

#[test]
fn the_document_shows_every_refusal_with_its_types() {
    let api = ExampleApi { begun: Arc::default(), go_on: Arc::default() };
    let document: Value = serde_json::from_str(&OpenApiService::new(api, "Example", "1").spec()).unwrap();
    let post = &document["paths"]["/greetings"]["post"];
    let statuses: Vec<_> = post["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        ["201", "400", "401", "403", "408", "409", "413", "415", "422", "429", "500", "503"]
    );
    let conflict = &post["responses"]["409"]["content"]["application/problem+json"]["schema"]["allOf"];
    assert_eq!(conflict[0]["$ref"], "#/components/schemas/Problem");
    let types = json!(["/problems/customer-id-taken", "/problems/final"]);
    assert_eq!(conflict[1]["properties"]["type"]["enum"], types);
    assert_eq!(post["responses"]["503"]["headers"]["Retry-After"]["required"], true);
    let schema = &post["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/GreetBody");
    assert_eq!(document["components"]["schemas"]["GreetBody"]["required"], json!(["name"]));
    let start = &document["paths"]["/report"]["get"]["parameters"][0];
    assert_eq!((&start["required"], &start["schema"]["format"]), (&json!(true), &json!("uint8")));
}
