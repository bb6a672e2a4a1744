//! An orderly stop, and the lock of the folder.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use kyc_tests::process::{PATIENCE, ServerProcess};

use super::{options, registration};

/// What the service promises for a stop, with room for a busy machine.
const STOP: Duration = Duration::from_secs(10);

/// A request whose body the server waits for: its head has been read, and the handler is at work.
fn half_a_request(server: &ServerProcess, customer_id: &str) -> (std::net::TcpStream, Vec<u8>) {
    let body = registration(customer_id, "925076473").to_string().into_bytes();
    let head = format!(
        "POST /customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        server.key(),
        body.len()
    );
    let mut stream = server.client().connect().unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    (stream, body)
}

/// Waits until no connection is accepted any more.
fn wait_until_closed(server: &ServerProcess) {
    let begun = Instant::now();
    while server.client().connect().is_ok() {
        assert!(begun.elapsed() < PATIENCE, "connections are still accepted");
    }
}

#[test]
fn sigterm_lets_a_request_in_flight_finish_and_ends_with_zero() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let (mut stream, body) = half_a_request(&server, "in-flight");
    let begun = Instant::now();
    server.ask_to_stop();
    wait_until_closed(&server);
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(server.wait().code(), Some(0));
    assert!(begun.elapsed() < STOP, "{:?}", begun.elapsed());

    let again = ServerProcess::start(&options);
    assert_eq!(again.client().get("/customers/in-flight").status, 200);
}

#[test]
fn a_client_that_never_finishes_holds_a_stop_up_for_no_more_than_ten_seconds() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let (_stream, _) = half_a_request(&server, "never");
    let begun = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    // It ends by itself, and so that a supervisor that gives it ten seconds and a little need not kill it.
    assert!(begun.elapsed() < STOP + Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_second_process_is_refused_the_folder_in_words_until_the_first_has_ended() {
    let (options, _home) = options();
    let first = ServerProcess::start(&options);
    first.client().post("/customers", &registration("kept", "925076473")).expecting(201);

    let (status, said) = options.refused();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("another process serves this data folder"), "{said}");

    assert_eq!(first.client().get("/customers/kept").status, 200, "the first goes on");
    assert_eq!(first.terminate().code(), Some(0));
    let second = ServerProcess::start(&options);
    assert_eq!(second.client().get("/customers/kept").status, 200);
    second.kill9();
    let third = ServerProcess::start(&options);
    assert_eq!(third.client().get("/customers/kept").status, 200);
}
