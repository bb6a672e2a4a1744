//! What our own rules find before any provider is asked: age, expiry, the machine-readable zone; and decisions
//! that run out.

use kyc_core::domain::mrz::check_digit;
use kyc_tests::app::TestApp;
use kyc_tests::app::customers::{ada, passport};
use kyc_tests::app::reply::str;
use serde_json::{Value, json};

/// The passport of ICAO Doc 9303-4, appendix A.
const SPECIMEN: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];

/// The zone of the passport that `ada` declares, put together by the rules of ICAO Doc 9303-3, section 4.9.
fn matching_zone() -> [String; 2] {
    let checked = |text: &str| format!("{text}{}", check_digit(text).unwrap());
    let (number, birth, expiry) = (checked("925076473"), checked("901210"), checked("310501"));
    let personal = checked("<<<<<<<<<<<<<<");
    let composite = checked(&format!("{number}{birth}{expiry}{personal}"));
    let composite = &composite[composite.len() - 1..];
    [format!("{:<<44}", "P<GBRLOVELACE<<ADA"), format!("{number}GBR{birth}F{expiry}{personal}{composite}")]
}

fn registered(change: impl FnOnce(&mut Value)) -> TestApp {
    let app = TestApp::start();
    let mut customer = ada("cus-1", "925076473");
    change(&mut customer);
    app.post("/customers", &customer).expect(201);
    app.run_due();
    app
}

#[test]
fn an_expired_document_is_stored_and_waits_for_another_one() {
    let app = registered(|customer| customer["identity_document"]["expires_on"] = json!("2026-03-14"));
    assert_eq!(app.standing("cus-1"), "pending awaiting_customer");
    let status = app.status("cus-1");
    assert_eq!(status.discrepancies(), ["policy.document_expired"]);
    assert_eq!(status.json["discrepancies"][0]["provider"], Value::Null);
    assert!(app.sandbox().submissions().is_empty(), "nothing was sent to a provider");
    app.update("cus-1", &json!({"identity_document": passport("925076474")})).expect(200);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn a_document_is_valid_to_the_end_of_its_last_day() {
    let app = registered(|customer| customer["identity_document"]["expires_on"] = json!("2026-03-15"));
    assert_eq!(app.standing("cus-1"), "verified");
}

#[test]
fn a_person_under_the_minimum_age_is_stored_and_rejected_and_may_correct_it() {
    let app = registered(|customer| customer["date_of_birth"] = json!("2008-03-16"));
    assert_eq!(app.standing("cus-1"), "rejected");
    let status = app.status("cus-1");
    assert_eq!((status.discrepancies(), &status.json["final"]), (vec!["policy.age"], &json!(false)));
    assert!(app.sandbox().submissions().is_empty(), "nothing was sent to a provider");
    app.update("cus-1", &json!({"date_of_birth": "2008-03-15"})).expect(200);
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified", "eighteen today");
}

#[test]
fn a_zone_that_fits_what_was_declared_is_verified() {
    let app = registered(|customer| {
        customer["identity_document"]["mrz"] = json!(matching_zone());
        customer["nationalities"] = json!(["GB"]);
        customer["gender"] = json!("female");
    });
    assert_eq!(app.status("cus-1").discrepancies(), [""; 0]);
    assert_eq!(app.standing("cus-1"), "verified");
    let read = app.get("/customers/cus-1").expect(200).json;
    assert_eq!(read["identity_document"]["mrz"], json!(matching_zone()));
}

#[test]
fn the_zone_of_another_person_goes_before_a_reviewer() {
    let app = registered(|customer| customer["identity_document"]["mrz"] = json!(SPECIMEN));
    assert_eq!(app.standing("cus-1"), "pending in_review");
    let status = app.status("cus-1");
    assert_eq!(
        status.discrepancies(),
        [
            "mismatch.name",
            "mismatch.date_of_birth",
            "mismatch.document_number",
            "mismatch.issuing_country",
            "mismatch.mrz",
        ]
    );
    assert_eq!(status.json["discrepancies"][4]["field"], "identity_document.expires_on");
    let report = app.report("2026-03-15", "2026-03-15");
    assert_eq!(report["discrepancies"].as_array().unwrap().len(), 5);
}

#[test]
fn one_wrong_digit_in_a_zone_goes_before_a_reviewer() {
    let mut zone = matching_zone();
    zone[1].replace_range(9..10, if zone[1].as_bytes()[9] == b'9' { "8" } else { "9" });
    let app = registered(|customer| customer["identity_document"]["mrz"] = json!(zone));
    assert_eq!(app.standing("cus-1"), "pending in_review");
    assert_eq!(app.status("cus-1").discrepancies(), ["mismatch.mrz"]);
}

#[test]
fn a_customer_counts_once_for_a_code_that_stands_twice() {
    let mut zone = matching_zone();
    zone[1].replace_range(9..10, if zone[1].as_bytes()[9] == b'9' { "8" } else { "9" });
    let app = registered(|customer| {
        customer["identity_document"]["mrz"] = json!(zone);
        customer["identity_document"]["expires_on"] = json!("2031-05-02");
    });
    assert_eq!(app.status("cus-1").discrepancies(), ["mismatch.mrz", "mismatch.mrz"]);
    let report = app.report("2026-03-15", "2026-03-15");
    assert_eq!(report["discrepancies"], json!([{"code": "mismatch.mrz", "count": 1}]));
}

#[test]
fn what_the_provider_finds_is_added_to_what_our_rules_found() {
    let app = registered(|customer| {
        customer["identity_document"] = passport("925-MISMATCH");
        customer["identity_document"]["mrz"] = json!(matching_zone());
    });
    let status = app.status("cus-1");
    assert_eq!(status.discrepancies(), ["mismatch.document_number", "mismatch.name"]);
    let providers = status.json["discrepancies"].as_array().unwrap().iter().map(|one| &one["provider"]);
    assert_eq!(providers.collect::<Vec<_>>(), [&Value::Null, &json!("sandbox")]);
}

#[test]
fn a_decision_runs_out_and_is_made_anew() {
    let app = TestApp::builder().policy(|policy| policy.decision_validity_days = Some(30)).start();
    app.register_and_run("cus-1", "925076473");
    assert_eq!(app.status("cus-1").json["valid_until"], "2026-04-14T12:00:00.000Z");
    assert_eq!(app.renew(), 0);
    app.advance(30 * 86_400 - 1);
    assert_eq!(app.standing("cus-1"), "verified");
    app.advance(1);

    // No read says verified from now on, whether or not a job has looked.
    let status = app.status("cus-1").json;
    assert_eq!((str(&status["status"]), str(&status["stage"])), ("pending", "queued"));
    assert_eq!((&status["valid_until"], &status["decided_at"]), (&Value::Null, &Value::Null));
    assert_eq!(app.get("/customers/cus-1").expect(200).json["status"], "pending");
    assert_eq!(app.get("/customers?status=verified").expect(200).json["items"], json!([]));
    assert_eq!(
        app.post("/customers/search", &json!({"email": "ada@example.com"})).json["items"][0]["status"],
        "pending"
    );

    assert_eq!((app.renew(), app.renew()), (1, 0));
    assert_eq!(app.verifications("cus-1")[0]["cause"], "expiry");
    app.run_due();
    assert_eq!(app.standing("cus-1"), "verified");
    assert_eq!(app.status("cus-1").json["valid_until"], "2026-05-14T12:00:00.000Z");
}
