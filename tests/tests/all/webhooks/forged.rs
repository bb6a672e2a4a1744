//! Callbacks that nobody signed who may: all are told the same, and nothing changes.

use super::*;

/// What is told of a callback that was refused, but for what differs with every request.
fn told(reply: Reply) -> (u16, Value, String) {
    let reply = reply.expect(401);
    assert_eq!(reply.problem(), "bad-signature");
    assert!(!reply.header("www-authenticate").is_empty());
    let (mut json, mut headers) = (reply.json, reply.headers);
    json.as_object_mut().unwrap().remove("instance");
    for name in ["date", "x-request-id"] {
        headers.remove(name);
    }
    (reply.status, json, format!("{headers:?}"))
}

#[test]
fn whatever_is_wrong_with_a_signature_the_answer_is_the_same_and_nothing_changes() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let before = (app.ledger(), app.rows());
    let body = answer(&id, "e1", "clear");
    let right = signature(7, app.now(), &body);
    let expected = told(unsigned(&app, &body).send());
    let old = signature(7, app.now() - SignedDuration::from_secs(301), &body);
    let other_kind = SigningKeys::new(&[Secret::new(vec![7; 32])]).unwrap().sign(
        app.now(),
        Message::Request { method: "POST", path: "/webhooks/sandbox", body: body.as_bytes() },
    );
    let (time, mac) = right.split_once(',').unwrap();
    for header in [
        String::new(),
        "nonsense".to_owned(),
        time.to_owned(),
        mac.to_owned(),
        format!("{mac},{time}"),
        format!("{right},{mac}"),
        format!("{time},v1="),
        format!("{time},v1={}", "0".repeat(64)),
        format!("{time},v0={}", &mac[3..]),
        right.to_uppercase(),
        signature(8, app.now(), &body),
        signature(7, app.now(), &format!("{body} ")),
        other_kind,
        old,
        "t=99999999999999999999,v1=00".to_owned(),
    ] {
        let reply = unsigned(&app, &body).header(SIGNATURE_HEADER, &header).send();
        assert_eq!(told(reply), expected, "{header}");
    }
    // Of two signatures nobody can say which one counts, also where both are right.
    for second in [&right, "t=1,v1=00"] {
        let call = unsigned(&app, &body).header(SIGNATURE_HEADER, &right).header(SIGNATURE_HEADER, second);
        assert_eq!(told(call.send()), expected);
    }
    // A key of ours is no signature.
    let call = app.call("POST", "/webhooks/sandbox").text("application/json", &*body);
    assert_eq!(told(call.send()), expected);
    assert_eq!((app.ledger(), app.rows()), before);
    taken(unsigned(&app, &body).header(SIGNATURE_HEADER, &right).send());
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let body = answer(&id, "e1", "clear");
    let right = signature(7, app.now(), &body);
    for (index, bit) in (0..body.len()).map(|index| (index, index % 8)) {
        let mut flipped = body.clone().into_bytes();
        flipped[index] ^= 1 << bit;
        let call = app.call("POST", "/webhooks/sandbox").authorization(None).text("", flipped);
        call.header(SIGNATURE_HEADER, &right).send().expect(401);
    }
    let mac = right.find("v1=").unwrap() + 3;
    for index in mac..right.len() {
        let mut flipped = right.clone().into_bytes();
        flipped[index] = if flipped[index] == b'0' { b'1' } else { b'0' };
        let call = unsigned(&app, &body).header(SIGNATURE_HEADER, text(&flipped));
        call.send().expect(401);
    }
    assert_eq!(app.standing("cus-1"), "pending with_provider");
}

#[test]
fn who_can_not_sign_learns_nothing_of_verifications() {
    let app = TestApp::start();
    let known = with_provider(&app);
    let unknown = uuid_of_nobody();
    let mut seen = Vec::new();
    for body in [
        news(&known, "e1"),
        news(&unknown, "e1"),
        answer(&known, "e1", "clear"),
        "{".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ] {
        let wrong = signature(8, app.now(), &body);
        seen.push(told(unsigned(&app, &body).header(SIGNATURE_HEADER, &wrong).send()));
        seen.push(told(unsigned(&app, &body).send()));
    }
    assert!(seen.iter().all(|told| *told == seen[0]), "{seen:#?}");
    // Nor does a provider, of those that are not its own.
    taken(signed(&app, &news(&unknown, "e1")).send());
    taken(signed(&app, &answer(&unknown, "e2", "clear")).send());
}

fn uuid_of_nobody() -> String {
    "01900000-0000-7000-8000-000000000000".to_owned()
}

#[test]
fn a_provider_that_is_not_in_the_settings_is_a_404_whatever_is_sent() {
    let app = TestApp::start();
    let id = with_provider(&app);
    let body = news(&id, "e1");
    for provider in ["nobody", "Sandbox", "sandbox%20", "%2e%2e", "sandbox%00", &"x".repeat(200)] {
        let call = app.call("POST", &format!("/webhooks/{provider}")).authorization(None).text("", &*body);
        let call = call.header(SIGNATURE_HEADER, &signature(7, app.now(), &body));
        assert_eq!(call.send().expect(404).problem(), "not-found", "{provider}");
    }
    app.call("POST", "/webhooks/").text("", &*body).send().expect(404);
    app.call("POST", "/webhooks").text("", &*body).send().expect(404);
}

#[test]
fn a_huge_callback_is_a_413_before_its_signature_is_looked_at() {
    const LIMIT: usize = 256 * 1024;
    let app = TestApp::start();
    with_provider(&app);
    let body = "x".repeat(LIMIT + 1);
    for call in [unsigned(&app, &body), signed(&app, &body)] {
        assert_eq!(call.header("Connection", "close").send().expect(413).problem(), "too-large");
    }
    let chunk = "x".repeat(8 * 1024);
    let chunks = format!("{:x}\r\n{chunk}\r\n", chunk.len()).repeat(33);
    let request = format!(
        "POST /webhooks/sandbox HTTP/1.1\r\nHost: kyc.test\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    assert_eq!(Reply::read(&app.exchange(request.as_bytes())).expect(413).problem(), "too-large");
    let whole = "x".repeat(LIMIT);
    signed(&app, &whole).header("Connection", "close").send().expect(422);
}
