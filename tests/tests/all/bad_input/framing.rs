//! Bodies that are too large, however they are framed.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use kyc_tests::app::customers::ada;
use kyc_tests::app::{KEY, Reply};
use serde_json::json;

use super::{CANARY, Untouched, refused};

/// 256 KiB, and what JSON takes of it around the value.
const LIMIT: usize = 256 * 1024;

#[test]
fn a_body_over_the_limit_is_a_413() {
    let untouched = Untouched::start();
    let body = format!(r#"{{"name": "{CANARY}{}"}}"#, "x".repeat(LIMIT));
    for (method, path) in [("POST", "/customers"), ("POST", "/customers/search"), ("PUT", "/customers/cus-1")]
    {
        // The service ends a connection whose request it did not read, so none is kept.
        let call = untouched.app.call(method, path).header("Connection", "close");
        refused(call.text("application/json", body.clone()), 413, "too-large", &[]);
    }
}

#[test]
fn a_chunked_body_over_the_limit_is_a_413() {
    let untouched = Untouched::start();
    let chunk = "x".repeat(8 * 1024);
    let chunks = format!("{:x}\r\n{chunk}\r\n", chunk.len()).repeat(64);
    let request = format!(
        "POST /customers HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    let reply = Reply::read(&untouched.app.exchange(request.as_bytes())).expect(413);
    assert_eq!(reply.problem(), "too-large");
    assert_eq!(reply.header("content-type"), "application/problem+json; charset=utf-8");
}

#[test]
fn an_announced_length_over_the_limit_is_a_413_before_a_byte_of_it_came() {
    let untouched = Untouched::start();
    let request = format!(
        "POST /customers HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: 9999999999\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(Reply::read(&untouched.app.exchange(request.as_bytes())).expect(413).problem(), "too-large");
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let untouched = Untouched::start();
    let frame = json!({"email": ""}).to_string().len();
    let body = json!({"email": "x".repeat(LIMIT - frame)}).to_string();
    assert_eq!(body.len(), LIMIT);
    let call = untouched.app.call("POST", "/customers/search").text("application/json", body.clone());
    refused(call, 422, "validation-failed", &["/email email.invalid"]);
    let call = untouched.app.call("POST", "/customers/search").header("Connection", "close");
    let call = call.text("application/json", format!("{body} "));
    refused(call, 413, "too-large", &[]);
}

#[test]
fn a_chunked_body_within_the_limit_is_a_body() {
    let app = kyc_tests::app::TestApp::start();
    let body = ada("cus-1", "1").to_string();
    let (first, second) = body.split_at(10);
    let request = format!(
        "POST /customers HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    assert_eq!(Reply::read(&app.exchange(request.as_bytes())).expect(201).json["customer_id"], "cus-1");
}

#[test]
fn a_body_that_breaks_off_stores_nothing() {
    let untouched = Untouched::start();
    let body = ada("cus-2", "1").to_string();
    let request = format!(
        "POST /customers HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        body.len(),
        &body[..body.len() - 1]
    );
    let mut stream = TcpStream::connect(untouched.app.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    // The service sees the end of the connection in its own time; an answer to another one comes after.
    untouched.app.get("/health/ready").expect(200);
}

#[test]
fn a_flood_of_unknown_fields_is_answered_with_some_of_them() {
    let untouched = Untouched::start();
    let letters = |n: u32| n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    let fields: Vec<_> = (0..20_000).map(letters).map(|name: String| format!(r#""{name}":0"#)).collect();
    let body = format!("{{{}}}", fields.join(","));
    let call = untouched.app.call("POST", "/customers").text("application/json", body);
    let reply = call.send().expect(422);
    assert!((100..200).contains(&reply.faults().len()), "{}", reply.faults().len());
    assert!(reply.text.len() < 64 * 1024);
}
