//! ASVS 16.3.1 and 16.4.1: what the log says of those who are refused, and what nobody can have it say.

use kyc_adapters::clock::SystemClock;
use kyc_adapters::provider::SigningKeys;
use kyc_adapters::provider::http::signature::{Message, SIGNATURE_HEADER};
use kyc_core::Secret;
use kyc_core::ports::Clock;
use kyc_tests::process::{Options, ServerProcess};
use serde_json::{Value, json};
use tempfile::TempDir;

fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let options = Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path());
    (options.with("KYC_LOG", "trace").with("KYC_LOG_FORMAT", "json"), home)
}

/// The lines of the log; one that is no record of its own is a failure.
fn records(options: &Options) -> Vec<Value> {
    let log = std::fs::read_to_string(options.stderr()).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"))).collect()
}

#[test]
fn asvs_16_3_1_every_refused_sign_in_has_one_event() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    let make = |body: &Value| client.post("/api-keys", body).expecting(201);
    let revoked = make(&json!({"name": "revoked", "role": "client"}));
    let path = format!("/api-keys/{}", revoked["id"].as_str().unwrap());
    assert_eq!(client.send("DELETE", &path, None).unwrap().status, 204);
    let elsewhere =
        make(&json!({"name": "elsewhere", "role": "client", "allowed_addresses": ["192.0.2.0/24"]}));
    let text = |made: &Value| made["key"].as_str().unwrap().to_owned();
    let slip = text(&elsewhere).replace("kyc_", "kyc-");
    let keys = [text(&revoked), text(&elsewhere), slip, "x".to_owned(), "k".repeat(30_000)];
    for key in &keys {
        assert_eq!(client.with_key(key).get("/whoami").status, 401);
    }
    assert_eq!(server.terminate().code(), Some(0));
    let refused: Vec<_> = records(&options)
        .into_iter()
        .filter(|record| record.to_string().contains("a sign-in was refused"))
        .collect();
    assert_eq!(refused.len(), keys.len());
    for record in refused {
        assert_eq!(record["level"], "WARN");
        assert!(record["span"]["request_id"].is_string(), "{record}");
    }
    let log = std::fs::read_to_string(options.stderr()).unwrap();
    assert!(keys.iter().filter(|key| key.len() > 8).all(|key| !log.contains(&key[..])), "no key is logged");
}

#[test]
fn asvs_16_4_1_no_text_of_a_caller_begins_a_record() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    let forged = "\r\n{\"level\":\"INFO\",\"message\":\"forged\"}\u{1b}[31m\u{2028}";
    let body = json!({"customer_id": forged, "name": forged, "email": forged});
    assert_eq!(client.post("/customers", &body).status, 422);
    assert_eq!(client.post("/api-keys", &json!({"name": forged, "role": forged})).status, 422);
    assert_eq!(client.get("/customers/%0d%0a%7b%22level%22%3a%22INFO%22%7d%1b%5b31m").status, 404);
    assert_eq!(client.get("/%0d%0aforged?%0d%0aforged=%1b").status, 404);
    let head = |name: &str| {
        format!(
            "GET /whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{name}: forged\u{1b}[31m\tforged\r\n\
             Authorization: Bearer {}\r\n\r\n",
            server.key()
        )
    };
    for name in ["X-Request-Id", "User-Agent", "traceparent", "Referer", "Forwarded"] {
        assert!(!client.raw(head(name).as_bytes()).is_empty(), "{name}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    let records = records(&options);
    assert!(records.iter().any(|record| record["level"] == "DEBUG"), "the log says all it can");
    for record in records {
        assert!(record["level"].is_string() && record["timestamp"].is_string(), "{record}");
        assert_ne!(record["message"], "forged");
        assert!(!record.to_string().contains("\\u001b"), "{record}");
    }
}

#[test]
fn nothing_of_a_callback_is_logged_be_it_genuine_or_not() {
    const CANARY: &str = "Kanarienvogel";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let (options, _home) = options();
    let options = options
        .with("KYC_PROVIDER", "vendor")
        .with("KYC_PROVIDER_URL", "http://127.0.0.1:9")
        .with("KYC_PROVIDER_SECRET", SECRET);
    let server = ServerProcess::start(&options);
    let client = server.client();
    let keys = SigningKeys::new(&[Secret::new(SECRET.as_bytes().to_vec())]).unwrap();
    let now = SystemClock.now();
    let news = json!({"event_id": CANARY, "verification_id": "01900000-0000-7000-8000-000000000000",
        "state": "processing", "note": CANARY});
    for (body, signed_as, status) in [
        (news.to_string(), news.to_string(), 200),
        (news.to_string(), String::new(), 401),
        (CANARY.to_owned(), CANARY.to_owned(), 422),
    ] {
        let signature = keys.sign(now, Message::Callback { body: signed_as.as_bytes() });
        let request = format!(
            "POST /webhooks/vendor HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Note: {CANARY}\r\n\
             {SIGNATURE_HEADER}: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = String::from_utf8(client.raw(request.as_bytes())).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(!answer.contains(CANARY), "{answer}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    let log = std::fs::read_to_string(options.stderr()).unwrap();
    assert!(
        log.contains("a callback was refused") && log.contains("a callback was received"),
        "it says that much"
    );
    assert!(!log.contains(CANARY) && !log.contains("v1="), "{log}");
}
