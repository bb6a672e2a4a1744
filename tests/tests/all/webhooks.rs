//! Callbacks of identity providers: what is genuine has one effect, what is not has none, and who can't sign learns
//! nothing (I3, I7).
#![cfg(test)]

mod forged;

use jiff::{SignedDuration, Timestamp};
use kyc_adapters::provider::SigningKeys;
use kyc_adapters::provider::http::signature::{Message, SIGNATURE_HEADER};
use kyc_core::Secret;
use kyc_tests::app::{Call, Reply, TestApp};
use serde_json::{Value, json};

/// The signature of a callback by a secret of one byte, as of a time.
fn signature(secret: u8, at: Timestamp, body: &str) -> String {
    let keys = SigningKeys::new(&[Secret::new(vec![secret; 32])]).unwrap();
    keys.sign(at, Message::Callback { body: body.as_bytes() })
}

/// A callback without a key, as a provider sends it.
fn unsigned<'a>(app: &'a TestApp, body: &str) -> Call<'a> {
    app.call("POST", "/webhooks/sandbox").authorization(None).text("application/json", body)
}

/// A genuine callback of the provider of every test service.
pub(super) fn signed<'a>(app: &'a TestApp, body: &str) -> Call<'a> {
    unsigned(app, body).header(SIGNATURE_HEADER, &signature(7, app.now(), body))
}

fn verification(app: &TestApp, id: &str) -> String {
    app.status(id).json["verification_id"].as_str().unwrap().to_owned()
}

/// That there is something to fetch.
fn news(verification: &str, event: &str) -> String {
    json!({"event_id": event, "verification_id": verification, "state": "processing"}).to_string()
}

fn answer(verification: &str, event: &str, outcome: &str) -> String {
    json!({"event_id": event, "verification_id": verification, "state": "done", "outcome": outcome})
        .to_string()
}

/// A customer whose verification the provider has, and will have an answer to in two seconds.
fn with_provider(app: &TestApp) -> String {
    app.register("cus-1", "1-SLOW");
    app.run_due();
    verification(app, "cus-1")
}

fn taken(reply: Reply) {
    assert_eq!(reply.expect(200).json, json!({"received": true}));
}

fn actions(app: &TestApp, action: &str) -> usize {
    let events = app.get(&format!("/audit-events?action={action}")).expect(200).json;
    events["items"].as_array().unwrap().len()
}

#[test]
fn a_callback_brings_the_look_forward_and_the_answer_is_fetched() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let due = |app: &TestApp| app.status("cus-1").json["next_attempt_at"].clone();
    assert_ne!(due(&app), json!(app.now().to_string()));
    taken(signed(&app, &news(&id, "e1")).send());
    assert_eq!(due(&app).as_str().unwrap().parse::<Timestamp>().unwrap(), app.now());
    app.run_due();
    assert_eq!(app.standing("cus-1"), "pending with_provider", "the provider has no answer yet");
    app.advance(2);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn the_workers_look_once_a_callback_says_so() {
    // The clock stands still, so that the verification falls due by the callback alone.
    let app = TestApp::builder().workers(2).start();
    app.register("cus-1", "1-SLOW");
    let next =
        || app.status("cus-1").json["next_attempt_at"].as_str().map(|at| at.parse::<Timestamp>().unwrap());
    let later = Some(app.now() + SignedDuration::from_secs(2));
    let wait = || (0..20_000).any(|_| app.standing("cus-1") == "pending with_provider" && next() == later);
    assert!(wait(), "the provider has it");
    let id = verification(&app, "cus-1");
    for event in ["e1", "e2"] {
        taken(signed(&app, &news(&id, event)).send());
        assert!(wait(), "it was looked at, and waits anew");
    }
    assert_eq!(actions(&app, "callback.received"), 2);
}

#[test]
fn the_same_callback_fifty_times_at_once_has_one_effect() {
    for bears_an_answer in [false, true] {
        let app = TestApp::start();
        let id = with_provider(&app);
        let body = if bears_an_answer { answer(&id, "e1", "clear") } else { news(&id, "e1") };
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| taken(signed(&app, &body).send()));
            }
        });
        taken(signed(&app, &body).send());
        let effects = ["callback.received", "verification.decided", "verification.answer_ignored"];
        let counts = effects.map(|action| actions(&app, action));
        assert_eq!(counts, if bears_an_answer { [0, 1, 0] } else { [1, 0, 0] });
    }
}

#[test]
fn callbacks_out_of_order_and_after_the_end_change_nothing() {
    let app = TestApp::start();
    let id = with_provider(&app);
    taken(signed(&app, &answer(&id, "e2", "clear")).send());
    assert_eq!(app.standing("cus-1"), "verified");
    let decided = app.status("cus-1").json;
    for body in [news(&id, "e1"), answer(&id, "e0", "consider"), answer(&id, "e3", "unheard_of")] {
        taken(signed(&app, &body).send());
        assert_eq!(app.status("cus-1").json, decided);
    }
    app.advance(3600);
    assert_eq!(app.run_due(), []);
}

#[test]
fn a_status_that_no_one_has_heard_of_verifies_nobody() {
    for (state, outcome) in [("approved_by_magic", "clear"), ("done", "excellent"), ("done", "CLEAR")] {
        let app = TestApp::start();
        let id = with_provider(&app);
        let body = json!({"event_id": "e1", "verification_id": id, "state": state, "outcome": outcome});
        taken(signed(&app, &body.to_string()).send());
        assert_eq!(app.standing("cus-1"), "pending in_review", "{state} {outcome}");
    }
}

#[test]
fn a_replay_within_the_window_and_one_after_it_have_no_effect() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let body = news(&id, "e1");
    let first = signature(7, app.now(), &body);
    let replay = |app: &TestApp| unsigned(app, &body).header(SIGNATURE_HEADER, &first).send();
    taken(replay(&app));
    app.run_due();
    let before = app.ledger();
    taken(replay(&app));
    app.advance(301);
    assert_eq!(replay(&app).expect(401).problem(), "bad-signature");
    assert_eq!(app.ledger(), before);
}

#[test]
fn the_clock_of_the_provider_may_be_off_by_five_minutes_either_way() {
    let app = TestApp::start();
    let id = with_provider(&app);
    for (seconds, is_taken) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let body = news(&id, &format!("e{seconds}"));
        let at = app.now() + SignedDuration::from_secs(seconds);
        let call = unsigned(&app, &body).header(SIGNATURE_HEADER, &signature(7, at, &body));
        let reply = call.send();
        assert_eq!(reply.status, if is_taken { 200 } else { 401 }, "{seconds}");
    }
}

#[test]
fn what_is_genuine_and_can_not_be_read_is_a_422_and_what_can_not_be_kept_a_503() {
    let app = TestApp::start();
    let id = with_provider(&app);
    for body in ["", "{", "[]", "{}", "\u{0}"] {
        let reply = signed(&app, body).send().expect(422);
        assert_eq!(reply.faults(), [" callback.unreadable"]);
    }
    app.close_store();
    let reply = signed(&app, &news(&id, "e1")).send().expect(503);
    assert!(!reply.header("retry-after").is_empty());
}

#[test]
fn a_callback_needs_no_content_type_and_may_come_in_chunks() {
    let app = TestApp::start();
    let id = with_provider(&app);
    for (event, media_type) in [("e1", ""), ("e2", "text/plain"), ("e3", "application/x-www-form-urlencoded")]
    {
        let body = news(&id, event);
        let call = app.call("POST", "/webhooks/sandbox").authorization(None).text(media_type, &*body);
        taken(call.header(SIGNATURE_HEADER, &signature(7, app.now(), &body)).send());
    }
    let body = answer(&id, "e4", "clear");
    let chunks = body.as_bytes().chunks(7).map(|part| format!("{:x}\r\n{}\r\n", part.len(), text(part)));
    let chunks = chunks.collect::<Vec<_>>().concat();
    let request = format!(
        "POST /webhooks/sandbox HTTP/1.1\r\nHost: kyc.test\r\nConnection: close\r\n{SIGNATURE_HEADER}: {}\r\n\
         Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n",
        signature(7, app.now(), &body)
    );
    taken(Reply::read(&app.exchange(request.as_bytes())));
    assert_eq!(app.standing("cus-1"), "verified");
}

fn text(part: &[u8]) -> &str {
    std::str::from_utf8(part).unwrap()
}

#[test]
fn a_burst_of_genuine_callbacks_is_let_in_where_forged_ones_are_told_to_wait() {
    let app = TestApp::builder().address_rate_limit(1).start();
    let id = with_provider(&app);
    let forged: Vec<_> = (0..12).map(|_| unsigned(&app, &news(&id, "e1")).send().status).collect();
    assert!(forged.iter().all(|status| [401, 429].contains(status)), "{forged:?}");
    assert!(forged.iter().filter(|status| **status == 429).count() >= 6, "{forged:?}");
    for event in 0..12 {
        taken(signed(&app, &news(&id, &format!("e{event}"))).send());
    }
}

#[test]
fn a_parameter_that_a_vendor_appends_does_no_harm() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let body = news(&id, "e1");
    let call = app.call("POST", "/webhooks/sandbox?env=live").text("", &*body);
    taken(call.header(SIGNATURE_HEADER, &signature(7, app.now(), &body)).send());
    assert_eq!(app.status("cus-1").json["stage"], Value::from("with_provider"));
}
