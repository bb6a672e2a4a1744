//! Servers that misbehave: whatever comes back, nobody is verified by it, and no call hangs.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use kyc_adapters::provider::{ConfigError, HttpProvider, HttpProviderConfig};
use kyc_core::domain::discrepancy::Code;
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{Forgotten, Outcome, Progress, ProviderError, Step};
use proptest::prelude::*;

use crate::support::{
    FakeServer, Received, Then, config, keys, provider, signed, signed_by, submission, unsigned, verification,
};

fn clear() -> Vec<u8> {
    format!(r#"{{"verification_id":"{}","state":"done","outcome":"clear"}}"#, verification(1)).into_bytes()
}

/// What a submission comes to where the server answers so.
async fn submitted(answer: impl FnMut(&Received) -> Vec<u8> + Send + 'static) -> Result<Step, ProviderError> {
    let server = FakeServer::answering(answer);
    provider(server.address, &FakeClock::new()).advance(&submission(1, "1"), None).await
}

/// The outcome where the answer is signed and has this body.
async fn told(body: String) -> Result<Step, ProviderError> {
    submitted(move |request| signed(200, request, body.as_bytes())).await
}

#[tokio::test]
async fn a_signed_answer_is_believed() {
    let step = submitted(|request| signed(202, request, &clear())).await;
    assert!(matches!(step, Ok(Step::Done(answer)) if answer.outcome == Outcome::Clear));
}

#[tokio::test]
async fn an_answer_that_is_not_signed_for_this_request_is_malformed() {
    let malformed = Err(ProviderError::Malformed);
    assert_eq!(submitted(|_| unsigned(200, "", &clear())).await, malformed);
    assert_eq!(submitted(|request| signed_by(&keys(&[8]), 200, request, &clear())).await, malformed);
    let other_status = |request: &Received| {
        String::from_utf8(signed(202, request, &clear())).unwrap().replacen("202", "200", 1).into_bytes()
    };
    assert_eq!(submitted(other_status).await, malformed);
    let other_body = |request: &Received| {
        String::from_utf8(signed(200, request, &clear())).unwrap().replace("clear", "cleaR").into_bytes()
    };
    assert_eq!(submitted(other_body).await, malformed);
    let two_signatures = |request: &Received| {
        let answer = String::from_utf8(signed(200, request, &clear())).unwrap();
        let line = answer.lines().find(|line| line.starts_with("KYC-Signature")).unwrap();
        answer.replacen(line, &format!("{line}\r\n{line}"), 1).into_bytes()
    };
    assert_eq!(submitted(two_signatures).await, malformed);
}

#[tokio::test]
async fn an_answer_can_not_be_replayed_for_another_request() {
    let mut first = None;
    let server = FakeServer::answering(move |request| {
        first.get_or_insert_with(|| signed(200, request, &clear())).clone()
    });
    let clock = FakeClock::new();
    let provider = provider(server.address, &clock);
    assert!(provider.advance(&submission(1, "1"), None).await.is_ok());
    let progress = Progress::new(Vec::new()).unwrap();
    assert_eq!(provider.advance(&submission(1, "1"), Some(&progress)).await, Err(ProviderError::Malformed));
    assert_eq!(provider.forget(verification(1), None).await, Err(ProviderError::Malformed));
    // The same request a second later is another one.
    clock.advance(SignedDuration::from_millis(1_000));
    assert_eq!(provider.advance(&submission(1, "1"), None).await, Err(ProviderError::Malformed));
}

#[tokio::test]
async fn an_answer_about_another_verification_is_malformed() {
    let body = format!(r#"{{"verification_id":"{}","state":"done","outcome":"clear"}}"#, verification(2));
    assert_eq!(told(body).await, Err(ProviderError::Malformed));
}

#[tokio::test]
async fn every_status_has_its_class() {
    let limited = |seconds| ProviderError::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
    for (status, headers, signed_too, expected) in [
        (401, "", false, ProviderError::Transient),
        (403, "", false, ProviderError::Transient),
        (408, "", false, ProviderError::Transient),
        (425, "", false, ProviderError::Transient),
        (500, "", false, ProviderError::Transient),
        (503, "Retry-After: 60\r\n", false, ProviderError::Transient),
        (599, "", false, ProviderError::Transient),
        (429, "", false, ProviderError::RateLimited { retry_after: None }),
        (429, "Retry-After: 60\r\n", false, limited(60)),
        (429, "Retry-After: Sun, 15 Mar 2026 12:00:30 GMT\r\n", false, limited(30)),
        (429, "Retry-After: 86400\r\n", false, limited(3600)),
        (429, "Retry-After: soon\r\n", false, ProviderError::RateLimited { retry_after: None }),
        (400, "", true, ProviderError::Refused),
        (404, "", true, ProviderError::Refused),
        (409, "", true, ProviderError::Refused),
        (422, "", true, ProviderError::Refused),
        // Unsigned, they may be a proxy's.
        (400, "", false, ProviderError::Malformed),
        (404, "", false, ProviderError::Malformed),
        (409, "", false, ProviderError::Malformed),
        (204, "", true, ProviderError::Malformed),
        (206, "", true, ProviderError::Malformed),
        (304, "", true, ProviderError::Malformed),
    ] {
        let step = submitted(move |request| {
            let body = if matches!(status, 204 | 304) { Vec::new() } else { clear() };
            if signed_too { signed(status, request, &body) } else { unsigned(status, headers, &body) }
        })
        .await;
        assert_eq!(step, Err(expected), "{status} {headers:?} signed: {signed_too}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let location = format!("Location: http://{}/\r\n", elsewhere.local_addr().unwrap());
        let step = submitted(move |_| unsigned(status, &location, b"")).await;
        assert_eq!(step, Err(ProviderError::Malformed), "{status}");
        assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{status}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_bound() {
    for (over, expected) in [(0, Ok(())), (1, Err(ProviderError::Malformed))] {
        let server = FakeServer::answering(move |request| {
            signed(200, request, &[clear(), vec![b' '; 500 + over - clear().len()]].concat())
        });
        let settings = HttpProviderConfig { max_body: 500, ..config(server.address) };
        let provider = HttpProvider::new(&settings, Arc::new(FakeClock::new())).unwrap();
        assert_eq!(provider.advance(&submission(1, "1"), None).await.map(|_| ()), expected, "{over}");
    }
    let head = format!("X: {}\r\n", "a".repeat(64 * 1024));
    assert_eq!(submitted(move |_| unsigned(200, &head, b"")).await, Err(ProviderError::Malformed));
    assert_eq!(submitted(|_| b"SSH-2.0-none\r\n\r\n".to_vec()).await, Err(ProviderError::Malformed));
}

#[test]
fn a_provider_that_hangs_is_left_in_time() {
    let short = Duration::from_millis(200);
    let late = |address| {
        let settings = HttpProviderConfig { timeout: short, ..config(address) };
        HttpProvider::new(&settings, Arc::new(FakeClock::new())).unwrap()
    };
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{";
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stuck = FakeServer::start(Then::Hold, |_| head.to_vec());
    let trickling = FakeServer::start(Then::Trickle, |_| head.to_vec());
    for address in [silent.local_addr().unwrap(), stuck.address, trickling.address] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let began = Instant::now();
        let step = runtime.block_on(late(address).advance(&submission(1, "1"), None));
        assert_eq!(step, Err(ProviderError::Transient));
        // The end of a runtime waits for its threads: none may go on with the call.
        drop(runtime);
        assert!(began.elapsed() >= short && began.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn one_time_out_is_for_the_whole_step() {
    // The first exchange says 404 late, so that little is left for the second.
    let server = FakeServer::start(Then::Hold, |request| {
        if request.method == "GET" {
            std::thread::sleep(Duration::from_millis(700));
            signed(404, request, b"")
        } else {
            Vec::new()
        }
    });
    let settings = HttpProviderConfig { timeout: Duration::from_secs(1), ..config(server.address) };
    let provider = HttpProvider::new(&settings, Arc::new(FakeClock::new())).unwrap();
    let began = Instant::now();
    let progress = Progress::new(Vec::new()).unwrap();
    assert_eq!(provider.advance(&submission(1, "1"), Some(&progress)).await, Err(ProviderError::Transient));
    assert!(began.elapsed() < Duration::from_millis(1_600), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_fails_is_an_outage() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let step = provider(closed, &FakeClock::new()).advance(&submission(1, "1"), None).await;
    assert_eq!(step, Err(ProviderError::Unreachable));
    assert_eq!(submitted(|_| Vec::new()).await, Err(ProviderError::Transient));
    assert_eq!(
        submitted(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec()).await,
        Err(ProviderError::Transient)
    );
}

#[tokio::test]
async fn what_can_be_forgotten_is_told_by_a_signed_status() {
    for (status, signed_too, expected) in [
        (204, true, Ok(Forgotten::Done)),
        (404, true, Ok(Forgotten::Done)),
        (405, true, Ok(Forgotten::Unsupported)),
        (409, true, Err(ProviderError::Refused)),
        (200, true, Err(ProviderError::Malformed)),
        (204, false, Err(ProviderError::Malformed)),
        (404, false, Err(ProviderError::Malformed)),
        (405, false, Err(ProviderError::Malformed)),
        (500, true, Err(ProviderError::Transient)),
    ] {
        let server = FakeServer::answering(move |request| {
            if signed_too { signed(status, request, b"") } else { unsigned(status, "", b"") }
        });
        let forgotten = provider(server.address, &FakeClock::new()).forget(verification(1), None).await;
        assert_eq!(forgotten, expected, "{status} {signed_too}");
        let [request] = &server.received()[..] else { panic!() };
        let path = format!("/v1/verifications/{}", verification(1));
        assert_eq!((request.method.as_str(), &request.path, request.body.len()), ("DELETE", &path, 0));
    }
}

#[tokio::test]
async fn two_tries_of_one_submission_send_the_same_bytes() {
    let server = FakeServer::answering(|_| unsigned(503, "", b""));
    let clock = FakeClock::new();
    for _ in 0..2 {
        let settings = HttpProviderConfig {
            base_url: format!("http://{}/kyc/", server.address),
            ..config(server.address)
        };
        let provider = HttpProvider::new(&settings, Arc::new(clock.clone())).unwrap();
        assert!(provider.advance(&submission(1, "1"), None).await.is_err());
        clock.advance(SignedDuration::from_millis(90_000));
    }
    let [first, second] = &server.received()[..] else { panic!() };
    assert_eq!(first.path, "/kyc/v1/verifications");
    assert_eq!(first.body, second.body);
    assert_ne!(first.signature, second.signature);
}

#[tokio::test]
async fn what_is_not_known_is_unknown_and_what_is_misshapen_malformed() {
    let answer = |rest: &str| told(format!(r#"{{"verification_id":"{}",{rest}}}"#, verification(1)));
    for unknown in [
        r#""state":"done""#,
        r#""state":"done","outcome":null"#,
        r#""state":"done","outcome":"Clear""#,
        r#""state":"done","outcome":"clear ""#,
        r#""state":"approved","outcome":"clear""#,
        r#""state":"done","outcome":"clear","discrepancies":[{"code":"mismatch.shoe size"}]"#,
    ] {
        let Ok(Step::Done(answer)) = answer(unknown).await else { panic!("{unknown}") };
        assert_eq!(answer.outcome, Outcome::Unknown, "{unknown}");
        if let Some(discrepancy) = answer.discrepancies.first() {
            assert_eq!(discrepancy.code, Code::UnknownResult);
            assert_eq!(discrepancy.provider_code.as_ref().unwrap().as_str(), "mismatch.shoesize");
        }
    }
    let many = format!(
        r#""state":"done","outcome":"consider","discrepancies":[{}{{"code":"a"}}]"#,
        r#"{"code":"a"},"#.repeat(64)
    );
    let long_link = format!(r#""state":"awaiting_customer","link":"https://a.example/{}""#, "a".repeat(2048));
    for malformed in [
        r#""state":"done","outcome":"consider","outcome":"clear""#,
        r#""state":"done","outcome":["clear"]"#,
        r#""outcome":"clear""#,
        r#""state":"awaiting_customer""#,
        r#""state":"awaiting_customer","link":"javascript:alert(1)""#,
        r#""state":"awaiting_customer","link":"http://vendor.example/""#,
        r#""state":"awaiting_customer","link":"https://vendor.example@other.example/""#,
        r#""state":"awaiting_customer","link":"https://vendor.example/a b""#,
        r#""state":"processing","poll_after_ms":-1"#,
        &many,
        &long_link,
    ] {
        assert_eq!(answer(malformed).await, Err(ProviderError::Malformed), "{malformed}");
    }
    assert_eq!(told(String::from("[]")).await, Err(ProviderError::Malformed));
}

#[tokio::test]
async fn the_next_look_is_held_within_bounds() {
    for (asked, expected) in [
        ("", Duration::from_secs(5)),
        (r#","poll_after_ms":0"#, Duration::from_millis(200)),
        (r#","poll_after_ms":1500"#, Duration::from_millis(1500)),
        (r#","poll_after_ms":18446744073709551615"#, Duration::from_hours(1)),
    ] {
        let step =
            told(format!(r#"{{"verification_id":"{}","state":"processing"{asked}}}"#, verification(1))).await;
        assert!(
            matches!(step, Ok(Step::Save { again_in, .. }) if again_in == Some(expected)),
            "{asked} {step:?}"
        );
    }
}

#[test]
fn settings_out_of_bounds_are_refused() {
    let good = config("127.0.0.1:1".parse().unwrap());
    let made =
        |settings: HttpProviderConfig| HttpProvider::new(&settings, Arc::new(FakeClock::new())).map(|_| ());
    for timeout in [Duration::ZERO, Duration::from_millis(8_001)] {
        assert_eq!(made(HttpProviderConfig { timeout, ..good.clone() }), Err(ConfigError::Timeout));
    }
    for max_body in [0, 256 * 1024 + 1] {
        assert_eq!(made(HttpProviderConfig { max_body, ..good.clone() }), Err(ConfigError::MaxBody));
    }
    let plain = HttpProviderConfig { base_url: String::from("http://a.example"), ..good.clone() };
    assert_eq!(made(plain.clone()), Err(ConfigError::InsecureBaseUrl));
    assert_eq!(made(HttpProviderConfig { allow_insecure_http: true, ..plain }), Ok(()));
}

/// Bodies near to those that clear somebody, and anything else that is JSON.
fn body() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        3 => Just(serde_json::json!("done")),
        3 => Just(serde_json::json!("clear")),
        1 => "[a-zA-Z ]{0,6}".prop_map(serde_json::Value::from),
        1 => Just(serde_json::Value::Null),
        1 => any::<i64>().prop_map(serde_json::Value::from),
        1 => any::<bool>().prop_map(serde_json::Value::from),
    ];
    let code = prop_oneof![Just(serde_json::json!("mismatch.name")), word.clone()];
    let codes = proptest::collection::vec(code.prop_map(|code| serde_json::json!({ "code": code })), 0..3);
    let extra = proptest::collection::btree_map("[a-z_]{1,8}", word.clone(), 0..3);
    (word.clone(), word, proptest::option::of(codes), extra).prop_map(|(state, outcome, codes, extra)| {
        let mut body = serde_json::json!({ "state": state, "outcome": outcome });
        if let Some(codes) = codes {
            body["discrepancies"] = codes.into();
        }
        for (name, value) in extra {
            body[name] = value;
        }
        body["verification_id"] = verification(1).to_string().into();
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_the_exact_words_is_clear(bodies in proptest::collection::vec(body(), 8)) {
        let next = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&next);
        let server = FakeServer::answering(move |request| signed(200, request, &told.lock().unwrap()));
        let provider = provider(server.address, &FakeClock::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for body in bodies {
            *next.lock().unwrap() = serde_json::to_vec(&body).unwrap();
            let step = runtime.block_on(provider.advance(&submission(1, "1"), None));
            let known = body["discrepancies"].as_array().is_none_or(|found| {
                found.iter().all(|one| one["code"] == "mismatch.name")
            });
            let exact = body["state"] == "done" && body["outcome"] == "clear" && known;
            let clear = matches!(&step, Ok(Step::Done(answer)) if answer.outcome == Outcome::Clear);
            // An extra field of the wrong type may make an exact body unreadable; never the reverse.
            prop_assert!(!clear || exact, "{body} {step:?}");
            prop_assert!(clear || !exact || step == Err(ProviderError::Malformed), "{body} {step:?}");
        }
    }
}
