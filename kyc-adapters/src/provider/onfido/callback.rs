//! A callback, read: which check has news. It bears no answer, since the result is fetched.

use kyc_core::Secret;
use kyc_core::ports::provider::{About, CallbackError, CallbackNews, Reference};
use serde::Deserialize;

/// The body of a callback, as far as it is read.
#[derive(Deserialize)]
struct Event {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    action: String,
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    id: String,
    #[serde(default)]
    completed_at_iso8601: Option<String>,
}

/// Reads a body whose signature was checked.
///
/// There is no id of the event, so that the action, the object and the time of its end stand for one: a callback that
/// is sent again has the same three. What an event is about is the object's id, of whatever kind it is: only a
/// check's is the reference of a verification.
pub(super) fn read(body: &[u8]) -> Result<CallbackNews, CallbackError> {
    let Event { payload } = serde_json::from_slice(body).map_err(|_| CallbackError::Malformed)?;
    let Payload { action, object } = payload;
    let completed = object.completed_at_iso8601.unwrap_or_default();
    let event = Secret::new(format!("{action}|{}|{completed}", object.id));
    let reference = Reference::new(object.id).ok_or(CallbackError::Malformed)?;
    Ok(CallbackNews { about: About::Reference(reference), event, answer: None })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use kyc_core::ports::provider::Callback;
    use ring::hmac;
    use serde_json::{Value, json};

    use super::super::signature::verify;
    use super::*;
    use crate::provider::vendor::CallbackKeys;

    const TOKEN: &str = "a-token-of-ours-0123456789";

    fn hex(bytes: &[u8]) -> String {
        data_encoding::HEXLOWER.encode(bytes)
    }

    /// A callback of a body, with the signature that is given.
    fn callback(body: &[u8], signature: &str) -> Callback {
        Callback {
            headers: vec![("x-sha2-signature".to_owned(), signature.to_owned())],
            body: Secret::new(body.to_vec()),
            received_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn tokens(all: &[&str]) -> CallbackKeys {
        let all: Vec<Secret<String>> = all.iter().map(|token| (*token).into()).collect();
        CallbackKeys::new(&all).unwrap()
    }

    fn sign(token: &str, body: &[u8]) -> String {
        hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()), body).as_ref())
    }

    /// The signature is right, and with any bit of the body, the header or the token flipped it is not.
    #[track_caller]
    fn only_as_signed(token: &str, body: &[u8], signature: &str) {
        let keys = tokens(&[token]);
        assert_eq!(verify(&keys, &callback(body, signature)), Ok(()));
        let flipped = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        for bit in 0..8 * body.len() {
            let refused = verify(&keys, &callback(&flipped(body, bit), signature));
            assert_eq!(refused, Err(CallbackError::BadSignature), "bit {bit} of the body");
        }
        for bit in 0..8 * signature.len() {
            // What is no UTF-8 can't stand in a header as we have it.
            let Ok(header) = String::from_utf8(flipped(signature.as_bytes(), bit)) else { continue };
            let refused = verify(&keys, &callback(body, &header));
            assert_eq!(refused, Err(CallbackError::BadSignature), "bit {bit} of the signature");
        }
        for cut in ["", &signature[..62], &format!("{signature}00")] {
            assert_eq!(verify(&keys, &callback(body, cut)), Err(CallbackError::BadSignature), "{cut}");
        }
    }

    fn completed() -> Value {
        json!({"payload": {"resource_type": "check", "action": "check.completed", "object": {
            "id": "8546d921-1999-4a7b-9a5a-5c5b2f3c4d5e", "status": "complete",
            "completed_at_iso8601": "2026-01-05T10:00:00Z", "href": "https://example.com"}}})
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let body = completed().to_string().into_bytes();
        only_as_signed(TOKEN, &body, &sign(TOKEN, &body));
    }

    #[test]
    fn the_documented_scheme_gives_the_signature_that_another_program_computed() {
        // printf '{"payload":{}}' | openssl dgst -sha256 -hmac a-token-of-ours-0123456789
        let known = "5974b4bc5872422edddcb42786dc7fed29f47356e3202ba66b8fd5ccaf5618a3";
        assert_eq!(sign(TOKEN, b"{\"payload\":{}}"), known);
        only_as_signed(TOKEN, b"{\"payload\":{}}", known);
    }

    #[test]
    fn while_a_token_is_replaced_both_count_and_no_third() {
        let body = completed().to_string().into_bytes();
        let keys = tokens(&["another-token-0123456789", TOKEN]);
        assert_eq!(verify(&keys, &callback(&body, &sign(TOKEN, &body))), Ok(()));
        assert_eq!(verify(&keys, &callback(&body, &sign("another-token-0123456789", &body))), Ok(()));
        let third = callback(&body, &sign("a-third-token-0123456789", &body));
        assert_eq!(verify(&keys, &third), Err(CallbackError::BadSignature));
    }

    #[test]
    fn a_signature_is_there_once_or_not_at_all() {
        let body = completed().to_string().into_bytes();
        let mut twice = callback(&body, &sign(TOKEN, &body));
        twice.headers.push(twice.headers[0].clone());
        assert_eq!(verify(&tokens(&[TOKEN]), &twice), Err(CallbackError::BadSignature));
        twice.headers.clear();
        assert_eq!(verify(&tokens(&[TOKEN]), &twice), Err(CallbackError::BadSignature));
        assert_eq!(verify(&tokens(&[]), &twice), Err(CallbackError::Unsupported));
    }

    #[test]
    fn every_real_signature_passes_and_none_with_a_flipped_bit() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/onfido_webhook_signatures.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: ../shared with the vendor's signatures is not here");
            return;
        };
        let all: Value = serde_json::from_str(&text).unwrap();
        let all = all["vectors"].as_array().unwrap();
        assert_eq!(all.len(), 4);
        for vector in all {
            let part = |name: &str| vector[name].as_str().unwrap();
            only_as_signed(part("token"), part("body").as_bytes(), part("x_sha2_signature"));
            assert!(read(part("body").as_bytes()).is_ok());
        }
    }

    #[test]
    fn an_event_is_its_action_its_object_and_its_time() {
        let news = read(completed().to_string().as_bytes()).unwrap();
        let expected = "check.completed|8546d921-1999-4a7b-9a5a-5c5b2f3c4d5e|2026-01-05T10:00:00Z";
        assert_eq!(news.event.expose(), expected);
        let About::Reference(reference) = news.about else { panic!("by its own id") };
        assert_eq!(reference.expose(), "8546d921-1999-4a7b-9a5a-5c5b2f3c4d5e");
        assert_eq!(news.answer, None);
        for bad in ["", "{}", "[]", "{\"payload\":{\"action\":\"a\",\"object\":{\"id\":\"\"}}}"] {
            assert_eq!(read(bad.as_bytes()), Err(CallbackError::Malformed), "{bad}");
        }
    }
}
