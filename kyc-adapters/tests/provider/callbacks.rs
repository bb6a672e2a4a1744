//! Callbacks: read after their signature was compared, and not before.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kyc_adapters::provider::http::signature::{Message, SIGNATURE_HEADER};
use kyc_adapters::provider::{HttpProvider, HttpProviderConfig};
use kyc_core::Secret;
use kyc_core::fakes::FakeClock;
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{About, Callback, CallbackError, CallbackNews, Outcome};

use crate::support::{config, keys, verification};

const BODY: &str = r#"{"event_id":"evt-1","verification_id":"ID","state":"done","outcome":"clear"}"#;

fn body() -> String {
    BODY.replace("ID", &verification(1).to_string())
}

fn received_at() -> Timestamp {
    FakeClock::START
}

/// The header's value, signed so many seconds after (or before) it comes in.
fn signature(secrets: &[u8], seconds: i64, body: &str) -> String {
    let signed_at = received_at() + SignedDuration::from_secs(seconds);
    keys(secrets).sign(signed_at, Message::Callback { body: body.as_bytes() })
}

/// What a provider with these secrets makes of a callback.
fn read(secrets: &[u8], headers: &[(&str, &str)], body: &str) -> Result<CallbackNews, CallbackError> {
    let settings = HttpProviderConfig { keys: keys(secrets), ..config("127.0.0.1:1".parse().unwrap()) };
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = Secret::new(body.as_bytes().to_vec());
    let provider = HttpProvider::new(&settings, Arc::new(FakeClock::new())).unwrap();
    provider.read_callback(&Callback { headers, body, received_at: received_at() })
}

fn outcome(read: Result<CallbackNews, CallbackError>) -> Result<Option<Outcome>, CallbackError> {
    read.map(|news| {
        assert_eq!(news.about, About::Verification(verification(1)));
        news.answer.map(|answer| answer.outcome)
    })
}

#[test]
fn a_callback_counts_by_its_signature_and_its_time() {
    let clear = Ok(Some(Outcome::Clear));
    let bad = Err(CallbackError::BadSignature);
    let outside = Err(CallbackError::OutsideWindow);
    for (name, secrets, value, expected) in [
        ("right", &[7][..], signature(&[7], 0, &body()), clear),
        ("the second of two secrets", &[8, 7], signature(&[7], 0, &body()), clear),
        ("the first of two secrets", &[7, 8], signature(&[7], 0, &body()), clear),
        ("another secret", &[8], signature(&[7], 0, &body()), bad),
        ("another body", &[7], signature(&[7], 0, "{}"), bad),
        ("nearly too old", &[7], signature(&[7], -300, &body()), clear),
        ("too old", &[7], signature(&[7], -301, &body()), outside),
        ("nearly too early", &[7], signature(&[7], 300, &body()), clear),
        ("too early", &[7], signature(&[7], 301, &body()), outside),
        ("too old and forged", &[7], signature(&[8], -301, &body()), bad),
        ("empty", &[7], String::new(), bad),
        ("no time", &[7], signature(&[7], 0, &body()).replace("t=", "u="), bad),
        ("a sign before the time", &[7], signature(&[7], 0, &body()).replace("t=", "t=+"), bad),
        ("a second value", &[7], signature(&[7], 0, &body()) + ",v1=00", bad),
        ("a short value", &[7], signature(&[7], 0, &body())[..70].to_owned(), bad),
    ] {
        assert_eq!(outcome(read(secrets, &[(SIGNATURE_HEADER, &value)], &body())), expected, "{name}");
    }
}

#[test]
fn there_is_one_signature_header_in_any_case() {
    let right = signature(&[7], 0, &body());
    let bad = Err(CallbackError::BadSignature);
    assert_eq!(
        outcome(read(&[7], &[("kyc-signature", &right), ("x", "y")], &body())),
        Ok(Some(Outcome::Clear))
    );
    assert_eq!(outcome(read(&[7], &[], &body())), bad);
    assert_eq!(outcome(read(&[7], &[("X-Signature", &right)], &body())), bad);
    let twice = [("KYC-Signature", right.as_str()), ("kyc-signature", right.as_str())];
    assert_eq!(outcome(read(&[7], &twice, &body())), bad);
}

#[test]
fn no_other_signed_message_is_a_callback() {
    let (body, keys) = (body(), keys(&[7]));
    for message in [
        Message::Request { method: "POST", path: "/v1/verifications", body: body.as_bytes() },
        Message::Response { status: 200, request: "t=1,v1=00", body: body.as_bytes() },
    ] {
        let value = keys.sign(received_at(), message);
        assert_eq!(
            outcome(read(&[7], &[(SIGNATURE_HEADER, &value)], &body)),
            Err(CallbackError::BadSignature)
        );
    }
}

#[test]
fn a_genuine_callback_is_read_like_an_answer() {
    let genuine = |body: &str| outcome(read(&[7], &[(SIGNATURE_HEADER, &signature(&[7], 0, body))], body));
    for (from, to, expected) in [
        ("clear", "consider", Ok(Some(Outcome::Consider))),
        ("clear", "fine", Ok(Some(Outcome::Unknown))),
        ("done", "finished", Ok(Some(Outcome::Unknown))),
        ("done", "processing", Ok(None)),
        ("done\"", "awaiting_customer\",\"link\":\"https://a.example/\"", Ok(None)),
        ("done", "awaiting_customer", Err(CallbackError::Malformed)),
        ("evt-1", "", Err(CallbackError::Malformed)),
        ("\"event_id\":\"evt-1\",", "", Err(CallbackError::Malformed)),
        ("\"clear\"}", "\"clear\"", Err(CallbackError::Malformed)),
    ] {
        assert_eq!(genuine(&body().replacen(from, to, 1)), expected, "{from} -> {to}");
    }
    assert_eq!(genuine(&body().replace(&verification(1).to_string(), "1")), Err(CallbackError::Malformed));
}
