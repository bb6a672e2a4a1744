//! Files: sent, listed, read, removed, and what each bad one is refused with.

use kyc_tests::app::customers::{ada, ada_in_full};
use kyc_tests::app::files::{form, pdf, png};
use kyc_tests::app::{KEY, Reply, TestApp, document};
use serde_json::{Value, json};

/// The largest file.
const LARGEST: usize = 10 * 1024 * 1024;

fn app() -> TestApp {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    app
}

/// Refuses a form with these faults, and stores nothing.
#[track_caller]
fn refused(app: &TestApp, parts: &[(&str, &[u8])], faults: &[&str]) {
    let reply = app.call("POST", "/customers/cus-1/documents").form(parts).send().expect(422);
    assert_eq!(reply.faults(), faults, "{}", reply.text);
    assert!(!reply.text.contains("Kanarienvogel"), "the input is repeated: {}", reply.text);
    assert_eq!(app.files("cus-1"), [json!(null); 0]);
}

#[test]
fn a_file_is_sent_listed_read_as_it_was_and_removed() {
    let app = app();
    let added = app.send_file("cus-1", "front", &png()).expect(201);
    let listed = app.files("cus-1");
    assert_eq!(listed.as_slice(), std::slice::from_ref(&added.json));
    let file = &listed[0];
    assert_eq!((&file["side"], &file["media_type"]), (&json!("front"), &json!("image/png")));
    assert_eq!(
        (&file["size"], &file["created_at"]),
        (&json!(png().len()), &json!("2026-03-15T12:00:00.000Z"))
    );
    assert_eq!(file["sha256"].as_str().map(str::len), Some(64));
    let id = file["document_id"].as_str().unwrap();
    let path = format!("/customers/cus-1/documents/{id}");
    assert_eq!(added.header("location"), format!("{path}/content"));

    let read = app.get(added.header("location")).expect(200);
    assert_eq!(read.bytes, png());
    assert_eq!((read.header("content-type"), read.header("cache-control")), ("image/png", "no-store"));
    assert_eq!(read.header("x-content-type-options"), "nosniff");
    assert_eq!(read.header("content-disposition"), format!("attachment; filename=\"{id}.png\""));
    assert_eq!(read.header("content-length"), png().len().to_string());
    let events = app.get("/audit-events?customer_id=cus-1").expect(200).json;
    let told: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(told, ["document.read", "document.added", "customer.registered"]);
    assert_eq!(events["items"][0]["target"], format!("document:{id}"));

    app.call("DELETE", &path).send().expect(204);
    app.call("DELETE", &path).send().expect(404);
    app.get(added.header("location")).expect(404);
    assert_eq!(app.files("cus-1"), [json!(null); 0]);
}

#[test]
fn a_reviewer_reads_files_and_a_client_sends_and_removes_them() {
    let app = app();
    let key = |role: &str| {
        let made = app.post("/api-keys", &json!({"name": role, "role": role})).expect(201).json;
        format!("Bearer {}", made["key"].as_str().unwrap())
    };
    let (client, reviewer) = (key("client"), key("reviewer"));
    let send = |who: &str| {
        let call = app.call("POST", "/customers/cus-1/documents").authorization(Some(who));
        call.form(&[("side", b"front"), ("file", &png())]).send()
    };
    let location = send(&client).expect(201).header("location").to_owned();
    send(&reviewer).expect(403);
    app.call("GET", &location).authorization(Some(&client)).send().expect(403);
    assert_eq!(app.call("GET", &location).authorization(Some(&reviewer)).send().expect(200).bytes, png());
    let path = location.trim_end_matches("/content");
    app.call("DELETE", path).authorization(Some(&reviewer)).send().expect(403);
    app.call("DELETE", path).authorization(Some(&client)).send().expect(204);
}

#[test]
fn every_fault_of_a_form_is_told_at_once() {
    let app = app();
    let (side, file): ((&str, &[u8]), Vec<u8>) = (("side", b"front"), png());
    refused(&app, &[], &["/file field.required", "/side field.required"]);
    refused(&app, &[side], &["/file field.required"]);
    refused(&app, &[("file", &file)], &["/side field.required"]);
    refused(&app, &[side, ("file", b"")], &["/file file.empty"]);
    refused(&app, &[("side", b"left"), ("file", &file)], &["/side side.unknown"]);
    refused(&app, &[("side", &[0xff; 9]), ("file", &file)], &["/side side.unknown"]);
    refused(&app, &[("side", &[b'x'; 9000]), ("file", &file)], &["/side side.unknown"]);
    refused(&app, &[side, side, ("file", &file)], &["/side field.repeated"]);
    refused(&app, &[side, ("file", &file), ("file", &file)], &["/file field.repeated"]);
    refused(&app, &[side, ("file", &file), ("name", b"Kanarienvogel")], &["/name field.unknown"]);
    refused(&app, &[side, ("file", &file), ("Kanarienvogel 9", b"")], &["/ field.unknown"]);
    refused(&app, &[side, ("file", b"MZ Kanarienvogel")], &["/file file.unsupported"]);
    refused(&app, &[side, ("file", &file[..file.len() - 5])], &["/file file.damaged"]);
    refused(&app, &[side, ("file", b"%PDF-1.7 Kanarienvogel")], &["/file file.damaged"]);
    let mut bomb = file.clone();
    bomb[16..24].copy_from_slice(&[0x7f; 8]);
    refused(&app, &[side, ("file", &bomb)], &["/file file.dimensions"]);
    let all = ["/file file.unsupported", "/other field.unknown", "/side side.unknown"];
    refused(&app, &[("side", b"Kanarienvogel"), ("other", b""), ("file", b"Kanarienvogel")], &all);
    let (media_type, body) = form(&[side, ("file", b"Kanarienvogel")]);
    let with_query = app.call("POST", "/customers/cus-1/documents?colour=red").text(&media_type, body).send();
    assert_eq!(with_query.expect(422).faults(), ["/file file.unsupported", "?colour parameter.unknown"]);
}

#[test]
fn a_body_of_another_kind_is_a_415_and_one_without_an_end_a_400() {
    let app = app();
    let post = |media_type: &str, body: &[u8]| {
        app.call("POST", "/customers/cus-1/documents").text(media_type, body).send()
    };
    let (media_type, whole) = form(&[("side", b"front"), ("file", &png())]);
    for other in ["application/json", "multipart/mixed; boundary=x", "application/x-www-form-urlencoded", ""]
    {
        assert_eq!(post(other, &whole).expect(415).problem(), "unsupported-media-type", "{other}");
    }
    assert_eq!(post("multipart/form-data", &whole).expect(400).problem(), "bad-request");
    for length in [0, 1, 50, whole.len() / 2, whole.len() - 40] {
        assert_eq!(post(&media_type, &whole[..length]).expect(400).problem(), "bad-request", "{length}");
    }
    assert_eq!(app.files("cus-1"), [json!(null); 0]);
}

#[test]
fn the_largest_file_comes_back_as_it_was_and_a_larger_one_is_a_413() {
    let app = app();
    let largest = pdf("the largest", LARGEST);
    let added = app.send_file("cus-1", "back", &largest).expect(201);
    assert_eq!(added.json["size"], LARGEST);
    assert!(app.get(added.header("location")).expect(200).bytes == largest);
    assert_eq!((app.rows()["document_chunks"], app.rows()["uploads"]), (160, 0));

    let (media_type, body) = form(&[("side", b"back"), ("file", &pdf("one more", LARGEST + 1))]);
    let call = app.call("POST", "/customers/cus-1/documents").header("Connection", "close");
    assert_eq!(call.text(&media_type, body).send().expect(413).problem(), "too-large");
    // The other paths take no more than before.
    let call = app.call("POST", "/customers").header("Connection", "close");
    call.text("application/json", " ".repeat(300_000)).send().expect(413);
    assert_eq!(app.files("cus-1").len(), 1);
}

#[test]
fn a_body_that_does_not_say_its_length_is_taken_and_cut_where_it_goes_on_for_ever() {
    let app = app();
    let (media_type, body) = form(&[("side", b"front"), ("file", &png())]);
    let head = format!(
        "POST /customers/cus-1/documents HTTP/1.1\r\nHost: kyc.test\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let whole = [head.as_bytes(), &chunk(&body[..100]), &chunk(&body[100..]), b"0\r\n\r\n"].concat();
    assert_eq!(Reply::read(&app.exchange(&whole)).status, 201);

    let endless = [&body[..body.len() - 40], &vec![b'z'; 11_000_000]].concat();
    let refused = Reply::read(&app.exchange(&[head.as_bytes(), &chunk(&endless)].concat()));
    assert_eq!((refused.status, refused.problem()), (413, "too-large"));
}

#[test]
fn a_selfie_needs_the_consent_that_is_named_biometric() {
    let app = app();
    let refused = app.send_file("cus-1", "selfie", &png()).expect(409);
    assert_eq!(refused.problem(), "consent-required");
    app.post("/customers", &ada_in_full("cus-2", "9")).expect(201);
    app.send_file("cus-2", "selfie", &png()).expect(201);
}

#[test]
fn there_are_only_so_many_files_of_a_customer() {
    let app = TestApp::builder().policy(|policy| policy.documents_per_customer = 1).start();
    app.register("cus-1", "1");
    let added = app.send_file("cus-1", "front", &png()).expect(201);
    assert_eq!(app.send_file("cus-1", "back", &png()).expect(409).problem(), "document-limit");
    app.call("DELETE", added.header("location").trim_end_matches("/content")).send().expect(204);
    app.send_file("cus-1", "back", &png()).expect(201);
}

#[test]
fn a_new_file_after_a_picture_was_unreadable_starts_the_next_attempt() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925-RETRY");
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    app.send_file("cus-1", "front", &png()).expect(201);
    assert_eq!(app.standing("cus-1"), "pending queued");
    let attempts = app.verifications("cus-1");
    assert_eq!((attempts.len(), &attempts[0]["cause"]), (2, &json!("document")));
    app.send_file("cus-1", "back", &png()).expect(201);
    assert_eq!(app.verifications("cus-1").len(), 2, "it goes along with the attempt that waits");
}

#[test]
fn the_same_file_for_two_customers_goes_before_a_person() {
    let app = TestApp::start();
    for id in ["cus-1", "cus-2", "cus-3"] {
        app.post("/customers", &ada(id, &format!("number of {id}"))).expect(201);
    }
    app.send_file("cus-1", "front", &png()).expect(201);
    app.send_file("cus-2", "proof_of_address", &png()).expect(201);
    app.send_file("cus-3", "front", &pdf("another", 0)).expect(201);
    app.run_due();
    for id in ["cus-1", "cus-2"] {
        assert_eq!(app.standing(id), "pending in_review", "{id}");
        assert_eq!(app.status(id).discrepancies(), ["duplicate.document"], "{id}");
    }
    assert_eq!(app.standing("cus-3"), "verified");
    let links = app.get("/customers/cus-1/links").expect(200).json;
    let sharing = |id: &str| {
        let others = links["items"].as_array().unwrap().iter();
        let other = others.clone().find(|link| link["customer_id"] == id);
        other.is_some_and(|link| link["shares"].as_array().unwrap().contains(&json!("file")))
    };
    assert!(sharing("cus-2") && !sharing("cus-3"), "{links}");
}

#[test]
fn what_is_sent_twice_under_one_key_is_stored_once() {
    let app = app();
    let send = |side: &str, bytes: &[u8]| {
        let call = app.call("POST", "/customers/cus-1/documents").header("Idempotency-Key", "k");
        call.form(&[("side", side.as_bytes()), ("file", bytes)]).send()
    };
    // What failed leaves the key free.
    send("front", b"MZ").expect(422);
    let first = send("front", &png()).expect(201);
    let again = send("front", &png()).expect(201);
    assert_eq!((&first.json, again.header("idempotency-replayed")), (&again.json, "true"));
    assert_eq!(first.header("location"), again.header("location"));
    for (side, bytes) in [("back", png()), ("front", pdf("another", 0))] {
        assert_eq!(send(side, &bytes).expect(422).faults(), ["Idempotency-Key idempotency_key.reused"]);
    }
    assert_eq!(app.files("cus-1").len(), 1);
}

#[test]
fn an_export_says_what_files_there_are_and_where() {
    let app = app();
    let added = app.send_file("cus-1", "proof_of_address", &pdf("a bill", 500)).expect(201);
    let export = app.get("/customers/cus-1/export").expect(200).json;
    let mut expected = added.json.clone();
    expected["content"] = json!(added.header("location"));
    assert_eq!(export["documents"], json!([expected]));
}

#[test]
fn the_document_describes_the_form_so_that_a_page_can_send_it() {
    let app = app();
    let operation = &document::served().json["paths"]["/customers/{id}/documents"]["post"];
    let schema = &operation["requestBody"]["content"]["multipart/form-data"]["schema"];
    assert_eq!(schema["required"], json!(["side", "file"]));
    assert_eq!(schema["properties"]["file"]["format"], "binary");
    let side = schema["properties"]["side"]["example"].as_str().unwrap();
    app.send_file("cus-1", side, &png()).expect(201);
    let content = &document::served().json["paths"]["/customers/{id}/documents/{document_id}/content"]["get"]
        ["responses"]["200"]["content"];
    let kinds: Vec<&String> = content.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["image/jpeg", "image/png", "image/webp", "application/pdf"]);
}

#[test]
fn files_go_with_the_person() {
    let app = app();
    let added = app.send_file("cus-1", "front", &pdf("a", 200_000)).expect(201);
    app.call("DELETE", "/customers/cus-1?reason=court_order&override_retention=true").send().expect(204);
    assert_eq!(app.get(added.header("location")).expect(410).problem(), "erased");
    app.get("/customers/cus-1/documents").expect(410);
    app.send_file("cus-1", "front", &png()).expect(410);
    let rows = app.rows();
    for table in ["documents", "document_chunks", "uploads", "fingerprints"] {
        assert_eq!(rows[table], 0, "{table}");
    }
}

/// What the answer to a damaged file says is of its own, never of the file.
#[test]
fn a_file_that_was_altered_in_the_database_is_shown_to_nobody() {
    let app = app();
    let added = app.send_file("cus-1", "front", &pdf("a", 200_000)).expect(201);
    let database = rusqlite::Connection::open(app.data().join("kyc.db")).unwrap();
    let swapped = "UPDATE document_chunks SET position = 9 - position WHERE position IN (0, 1)";
    database
        .execute_batch(&format!(
            "{swapped}; UPDATE document_chunks SET position = position - 8 WHERE position > 7"
        ))
        .unwrap();
    drop(database);
    let refused = app.get(added.header("location")).expect(500);
    assert_eq!(refused.problem(), "internal");
    let events = app.get("/audit-events?action=data.unreadable").expect(200).json;
    assert_eq!(events["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.get("/audit-events?action=document.read").expect(200).json["items"], Value::Array(vec![]));
}
