//! Who saw what, and who did what: the audit events of requests.

use kyc_core::domain::audit::AuditEvent;
use kyc_core::domain::field::Field;
use kyc_core::domain::status::StatusWord;
use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada_in_full;
use serde_json::json;

const TOP: [Field; 6] = [
    Field::Name,
    Field::Email,
    Field::PhoneNumber,
    Field::DateOfBirth,
    Field::Address,
    Field::IdentityDocument,
];

/// The events that `work` leaves behind.
fn events(app: &TestApp, work: impl FnOnce()) -> Vec<AuditEvent> {
    let before = app.ledger().events.len();
    work();
    app.ledger().events.into_iter().skip(before).map(|chained| chained.event).collect()
}

#[test]
fn a_read_of_personal_data_leaves_one_event_and_a_read_of_a_status_none() {
    let app = TestApp::start();
    app.register_and_run("cus-1", "925076473");
    let subject = app.ledger().customers[0].row.subject;
    for (path, action, on, fields) in [
        ("/customers/cus-1", "customer.read", Some(subject), &TOP[..]),
        ("/customers?limit=10", "customers.listed", None, &[]),
    ] {
        let read = || drop(app.call("GET", path).header("X-Request-Id", "r-1").send().expect(200));
        let [event] = &events(&app, read)[..] else { panic!("one event for {path}") };
        assert_eq!((event.action.as_str(), event.subject, &event.fields[..]), (action, on, fields));
        assert_eq!((event.actor.as_str(), event.request_id.as_deref()), ("admin:bootstrap", Some("r-1")));
        assert_eq!(event.at, app.now());
    }
    for path in [
        "/customers/cus-1/kyc-status",
        "/customers/cus-1/verifications",
        "/report?start=2026-01-01&end=2026-01-31",
        "/whoami",
        "/customers?status=rejected",
        "/health/ready",
    ] {
        assert_eq!(events(&app, || drop(app.get(path).expect(200))), [], "{path}");
    }
    assert_eq!(events(&app, || drop(app.get("/customers/cus-2").expect(404))), []);
}

#[test]
fn a_search_leaves_its_event_whether_or_not_anybody_is_found() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    for (form, fields) in [
        (json!({"email": "ada@example.com"}), &[Field::Email][..]),
        (json!({"email": "eve@example.com"}), &[Field::Email]),
        (json!({"phone_number": "+442079460958"}), &[Field::PhoneNumber]),
        (json!({"document_number": "925076473"}), &[Field::DocumentNumber]),
        (json!({"name": "Ada", "date_of_birth": "1990-12-10"}), &[Field::Name, Field::DateOfBirth]),
    ] {
        let search = || drop(app.post("/customers/search", &form).expect(200));
        let [event] = &events(&app, search)[..] else { panic!("one event for {form}") };
        assert_eq!((event.action.as_str(), &event.fields[..]), ("customers.searched", fields));
    }
}

#[test]
fn each_step_of_a_customer_leaves_its_event_with_actor_and_reason() {
    let app = TestApp::start();
    app.register("cus-1", "925-SLOW");
    app.run_due();
    app.advance(2);
    app.run_due();
    app.update("cus-1", &json!({"email": "ada@example.org"})).expect(200);
    app.update("cus-1", &json!({"identity_document": kyc_tests::app::customers::passport("1-REJECT")}))
        .expect(200);
    app.run_due();
    let steps: Vec<_> = app.ledger().events.into_iter().map(|chained| chained.event).collect();
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.action.as_str(), step.actor.as_str(), step.reason.as_deref(), step.from, step.to))
        .collect();
    let (client, worker) = ("admin:bootstrap", "system:worker");
    let (queued, with_provider) = (Some(StatusWord::Queued), Some(StatusWord::WithProvider));
    let (verified, rejected) = (Some(StatusWord::Verified), Some(StatusWord::RejectedForGood));
    assert_eq!(
        told,
        [
            ("customer.registered", client, Some("registration"), None, queued),
            ("verification.submitted", worker, None, queued, with_provider),
            ("verification.decided", worker, None, with_provider, verified),
            ("customer.updated", client, None, None, None),
            ("customer.updated", client, Some("update"), verified, queued),
            ("verification.decided", worker, Some("authenticity.compromised"), queued, rejected),
        ]
    );
    assert_eq!(steps[3].fields, [Field::Email]);
    assert_eq!(steps[4].fields, [Field::IdentityDocument]);
    let disclosed = |field: &Field| steps[1].fields.contains(field);
    assert!([Field::Name, Field::DateOfBirth, Field::Address].iter().all(disclosed), "{:?}", steps[1].fields);
    // The number of the document went to the provider too, and that is to be told as well.
    let document = [Field::IdentityDocument, Field::DocumentNumber];
    assert!(document.iter().any(disclosed), "{:?}", steps[1].fields);
    assert!(steps.iter().all(|step| step.subject == steps[0].subject));
}

#[test]
fn no_event_holds_personal_data() {
    let app = TestApp::start();
    let full = ada_in_full("cus-1", "925076473");
    app.post("/customers", &full).expect(201);
    app.run_due();
    drop(app.get("/customers/cus-1").expect(200));
    drop(app.post("/customers/search", &json!({"email": "ada@example.com"})).expect(200));
    let text = format!("{:?}", app.ledger().events).to_lowercase();
    for value in ["lovelace", "ada@", "946095", "1990", "james", "925076473", "marylebone", "1234567890"] {
        assert!(!text.contains(value), "{value}");
    }
}
