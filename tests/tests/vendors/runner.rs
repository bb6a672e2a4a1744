//! The runner itself: what breaks a specification is seen, in both directions.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use kyc_tests::prism::Prism;

const PERSONA: &str = "persona-2025-12-08-mock.json";

/// A server that answers everything with the same, which is no answer of any vendor.
fn nonsense() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // The requests of these tests come in one piece, or their second piece does not matter.
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\
                          Connection: close\r\n\r\n{\"a\": 1}";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// The status of a request with a right credential, as the adapter would see it.
fn status(prism: &Prism, method: &str, path: &str, body: Option<&str>) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", prism.url()))
        .header("Authorization", "Bearer key")
        .header("Content-Type", "application/json");
    let answer = match body {
        None => agent.run(request.body(()).unwrap()),
        Some(body) => agent.run(request.body(body.to_owned()).unwrap()),
    };
    answer.unwrap().status().as_u16()
}

#[test]
fn an_answer_that_breaks_the_specification_is_a_violation_at_every_endpoint_that_is_used() {
    let Some(prism) = Prism::before(nonsense(), PERSONA) else { return };
    for (method, path, body) in [
        ("POST", "/inquiries", Some(r#"{"data": {"attributes": {}}}"#)),
        ("POST", "/inquiries/inq_1/generate-one-time-link", Some("{}")),
        ("GET", "/inquiries/inq_1?include=verifications", None),
        ("DELETE", "/inquiries/inq_1", None),
    ] {
        assert_eq!(status(&prism, method, path, body), 500, "{method} {path}");
        let violations = prism.take_violations();
        assert_eq!(violations.len(), 1, "{method} {path}: {violations:?}");
        assert!(violations[0].starts_with(&format!("{method} {path}: ")), "{violations:?}");
        assert!(violations[0].contains("VIOLATIONS"), "{violations:?}");
    }
    assert_eq!(prism.exchanges(), 4);
}

#[test]
fn a_request_that_breaks_the_specification_is_a_violation() {
    let Some(prism) = Prism::before(nonsense(), PERSONA) else { return };
    assert_eq!(status(&prism, "POST", "/inquiries", Some(r#"{"dada": 1}"#)), 422);
    let violations = prism.take_violations();
    assert!(violations.iter().any(|reasons| reasons.contains("dada")), "{violations:?}");
    assert_eq!(status(&prism, "GET", "/nowhere", None), 404);
    assert_eq!(prism.take_violations().len(), 1);
}

#[test]
#[should_panic(expected = "the specification was broken")]
fn a_violation_that_nobody_asked_for_fails_the_test() {
    let prism = Prism::before(nonsense(), PERSONA).expect("the specification was broken, or is not there");
    assert_eq!(status(&prism, "GET", "/nowhere", None), 404);
}
