//! Pages of other origins: none may use the API, or those of the list (OWASP ASVS 5.0.0, 3.4.2).

use kyc_server::serve::{Front, Origins};

use crate::server::{Answer, Builder, Server};

const APP: &str = "https://app.example.com";

async fn server(origins: Option<&str>) -> Server {
    let origins = origins.map(|text| Origins::parse(text).unwrap()).unwrap_or_default();
    let builder = Builder::default();
    Server::of(Builder { front: Front { origins, ..builder.front }, ..builder }).await
}

async fn preflight(server: &Server, path: &str, origin: &str) -> Answer {
    let request = format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: kyc.test\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization,content-type\r\nConnection: close\r\n\r\n"
    );
    server.exchange(request.as_bytes()).await
}

async fn get(server: &Server, path: &str, origin: &str) -> Answer {
    server.send(&format!("GET {path} HTTP/1.1\r\nOrigin: {origin}"), "").await
}

#[track_caller]
fn is_closed(answer: &Answer) {
    assert!(!answer.head.contains("access-control-"), "{}", answer.head);
}

#[tokio::test]
async fn asvs_3_4_2_by_default_no_page_of_another_origin_may_use_the_api() {
    let server = server(None).await;
    let answer = get(&server, "/greetings/1", APP).await;
    assert_eq!((answer.status(), answer.header("vary")), (200, None));
    is_closed(&answer);
    let answer = preflight(&server, "/greetings", APP).await;
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("post")));
    is_closed(&answer);
}

#[tokio::test]
async fn a_page_of_the_list_is_told_what_it_may_send_and_read() {
    let server = server(Some("http://localhost:5173,https://app.example.com")).await;
    let answer = preflight(&server, "/greetings", APP).await;
    assert_eq!((answer.status(), answer.body.as_str()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", APP),
        ("access-control-allow-methods", "post"),
        ("access-control-max-age", "7200"),
        ("vary", "origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let headers = answer.header("access-control-allow-headers").unwrap();
    for name in ["authorization", "content-type", "idempotency-key", "if-match", "x-request-id"] {
        assert!(headers.split(", ").any(|header| header == name), "{headers}");
    }
    assert!(answer.header("x-request-id").is_some());
    assert_eq!(answer.header("access-control-allow-credentials"), None);

    // A refusal can be read as well, or the page could not say what is wrong.
    for (path, status) in [("/greetings/1", 200), ("/nothing", 404), ("/greetings/panic", 500)] {
        let answer = get(&server, path, APP).await;
        assert_eq!((answer.status(), answer.header("access-control-allow-origin")), (status, Some(APP)));
        assert_eq!(answer.header("vary"), Some("origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["etag", "idempotency-replayed", "location", "x-request-id", "ratelimit", "retry-after"] {
            assert!(exposed.split(", ").any(|header| header == name), "{exposed}");
        }
    }
}

#[tokio::test]
async fn asvs_3_4_2_a_page_that_is_not_of_the_list_is_told_nothing() {
    let server = server(Some(APP)).await;
    for other in [
        "https://app.example.com.evil.example",
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
        "*",
        "https://app.example.com, https://evil.example",
    ] {
        let answer = get(&server, "/greetings/1", other).await;
        assert_eq!((answer.status(), answer.header("vary")), (200, Some("origin")), "{other}");
        is_closed(&answer);
        let answer = preflight(&server, "/greetings", other).await;
        assert_eq!((answer.status(), answer.header("allow")), (405, Some("post")), "{other}");
        is_closed(&answer);
    }
}

#[tokio::test]
async fn options_that_is_no_preflight_is_a_method_that_is_not_there() {
    let server = server(Some(APP)).await;
    let answer = server.send(&format!("OPTIONS /greetings HTTP/1.1\r\nOrigin: {APP}"), "").await;
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("post")));
    assert_eq!(server.send("OPTIONS /greetings HTTP/1.1", "").await.status(), 405);
}
