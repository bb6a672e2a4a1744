//! Callbacks: the vendor's own bodies under the documented signature, and each of them with a bit flipped.

use jiff::{SignedDuration, Timestamp};
use kyc_core::Secret;
use kyc_core::contract::provider::a_callback_is_read_as_it_was_signed_or_not_at_all;
use kyc_core::ports::provider::{About, Callback, CallbackError, Reference};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

/// HMAC-SHA256 (RFC 2104) in hexadecimal, by hand, so that the adapter is not tested with its own crate.
fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut key = [0_u8; 64];
    key[..secret.len()].copy_from_slice(secret.as_bytes());
    let mut inner = Sha256::new_with_prefix(key.map(|byte| byte ^ 0x36));
    for part in parts {
        inner.update(part);
    }
    let outer = Sha256::new_with_prefix(key.map(|byte| byte ^ 0x5c)).chain_update(inner.finalize());
    data_encoding::HEXLOWER.encode(&outer.finalize())
}

/// A pair of the header.
fn pair(secret: &str, at: Timestamp, body: &[u8]) -> String {
    let t = at.as_second().to_string();
    format!("t={t},v1={}", hmac(secret, &[t.as_bytes(), b".", body]))
}

fn callback(signature: String, body: &[u8]) -> Callback {
    Callback {
        headers: vec![("Persona-Signature".to_owned(), signature)],
        body: Secret::new(body.to_vec()),
        received_at: FakeClock::START,
    }
}

/// The callback, at the second of its signature, of each vector; none where they are not there.
fn vectors() -> Vec<(String, Callback)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/persona_webhooks.json");
    let Ok(text) = std::fs::read(file) else { return Vec::new() };
    let read: Value = serde_json::from_slice(&text).unwrap();
    let vectors = read["vectors"].as_object().unwrap();
    assert_eq!(vectors.len(), 6);
    let read = |(name, vector): (&String, &Value)| {
        assert_eq!(vector["secret"], SECRET);
        let (_, signature) = vector["header"].as_str().unwrap().split_once(": ").unwrap();
        let mut callback = callback(signature.to_owned(), vector["body"].as_str().unwrap().as_bytes());
        callback.received_at = Timestamp::from_second(vector["t"].as_i64().unwrap()).unwrap();
        (name.clone(), callback)
    };
    vectors.iter().map(read).collect()
}

#[test]
fn each_vector_is_genuine_and_names_its_event_and_its_inquiry() {
    let provider = Attempt::start().provider;
    for (name, callback) in vectors() {
        let news = provider.read_callback(&callback).unwrap();
        let inquiry = Reference::new("inq_kT4xVnR2bPmYwL9sTgD3cExZ").unwrap();
        assert_eq!(news.about, About::Reference(inquiry), "{name}");
        assert!(news.event.expose().starts_with("evt_"), "{name}");
        assert_eq!(news.answer, None, "{name}");
    }
}

#[test]
fn each_vector_with_any_bit_flipped_is_refused() {
    let provider = Attempt::start().provider;
    for (name, callback) in vectors() {
        // All bits of the body of the first one; of the others each seventh, and all of each header.
        let step = if name.starts_with("inquiry-approved") { 1 } else { 7 };
        let body = callback.body.expose();
        for bit in (0..8 * body.len()).step_by(step) {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let altered = Callback { body: Secret::new(flipped), ..callback.clone() };
            assert_eq!(provider.read_callback(&altered), Err(CallbackError::BadSignature), "{name} {bit}");
        }
        let signature = callback.headers[0].1.clone().into_bytes();
        for bit in 0..8 * signature.len() {
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            let headers = vec![("Persona-Signature".to_owned(), flipped)];
            let altered = Callback { headers, ..callback.clone() };
            assert_eq!(provider.read_callback(&altered), Err(CallbackError::BadSignature), "{name} {bit}");
        }
    }
}

#[tokio::test]
async fn a_callback_of_the_fake_keeps_the_contract() {
    let attempt = Attempt::with_link().await;
    let body = attempt.persona.event("evt_1", "inquiry.completed", &attempt.inquiry());
    let genuine = callback(pair(SECRET, FakeClock::START, &body), &body);
    a_callback_is_read_as_it_was_signed_or_not_at_all(&attempt.provider, &genuine);
}

#[test]
fn the_window_is_five_minutes_either_way() {
    let provider = Attempt::start().provider;
    for (seconds, expected) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let body = br#"{"data":{"type":"event","id":"evt_1","attributes":{"payload":{"data":{"type":"inquiry","id":"inq_1"}}}}}"#;
        let at = FakeClock::START + SignedDuration::from_secs(seconds);
        let news = provider.read_callback(&callback(pair(SECRET, at, body), body));
        let expected = if expected { Ok(()) } else { Err(CallbackError::OutsideWindow) };
        assert_eq!(news.map(|_| ()), expected, "{seconds}");
    }
}

#[test]
fn either_of_two_secrets_and_either_of_two_pairs_is_enough() {
    let persona = Persona::start();
    let provider = |secrets: &[&str]| {
        let mut config = config(&persona);
        config.webhook_secrets = secrets.iter().map(|secret| (*secret).into()).collect();
        PersonaProvider::new(&config, Arc::new(FakeClock::new())).unwrap()
    };
    let (old, new, other) = ("wbhsec_old_old_old", "wbhsec_new_new_new", "wbhsec_other_other");
    let body = br#"{"data":{"type":"event","id":"evt_1","attributes":{"payload":{"data":{"type":"inquiry","id":"inq_1"}}}}}"#;
    let at = FakeClock::START;
    let (by_old, by_new) = (pair(old, at, body), pair(new, at, body));
    let both = format!("{by_new} {by_old}");
    for (secrets, signature, expected) in [
        (&[old][..], &both, Ok(())),
        (&[new], &both, Ok(())),
        (&[new, old], &by_old, Ok(())),
        (&[new, old], &by_new, Ok(())),
        (&[other], &both, Err(CallbackError::BadSignature)),
        (&[new, old], &format!("{both} {by_old}"), Err(CallbackError::BadSignature)),
        (&[new, old], &format!("{by_new}  {by_old}"), Err(CallbackError::BadSignature)),
        (&[new, old], &String::new(), Err(CallbackError::BadSignature)),
        (&[], &both, Err(CallbackError::Unsupported)),
    ] {
        let news = provider(secrets).read_callback(&callback(signature.clone(), body));
        assert_eq!(news.map(|_| ()), expected, "{signature}");
    }
}

#[test]
fn what_is_genuine_and_about_no_inquiry_is_malformed() {
    let provider = Attempt::start().provider;
    let event = |kind: &str, id: &str, payload: &str| {
        format!(
            r#"{{"data":{{"type":"{kind}","id":"{id}","attributes":{{"payload":{{"data":{payload}}}}}}}}}"#
        )
    };
    let of_verification = r#"{"type":"verification/selfie","id":"ver_1","relationships":{"inquiry":{"data":{"type":"inquiry","id":"inq_7"}}}}"#;
    let read = |body: &str| {
        let body = body.as_bytes();
        provider.read_callback(&callback(pair(SECRET, FakeClock::START, body), body)).map(|news| news.about)
    };
    let seventh = About::Reference(Reference::new("inq_7").unwrap());
    assert_eq!(read(&event("event", "evt_1", of_verification)), Ok(seventh));
    for body in [
        event("event", "evt_1", r#"{"type":"account","id":"act_1"}"#),
        event("event", "evt_1", r#"{"type":"verification/selfie","id":"ver_1"}"#),
        event("event", "evt_1", r#"{"type":"inquiry","id":"inq/../1"}"#),
        event("event", "", r#"{"type":"inquiry","id":"inq_1"}"#),
        event("inquiry", "evt_1", r#"{"type":"inquiry","id":"inq_1"}"#),
        "[]".to_owned(),
        String::new(),
    ] {
        assert_eq!(read(&body), Err(CallbackError::Malformed), "{body}");
    }
}
