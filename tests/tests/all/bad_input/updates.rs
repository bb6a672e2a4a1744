//! Changes that are refused: what can't be cleared, what does not fit what stays, and preconditions that are
//! none.

use kyc_tests::app::customers::{ada_in_full, passport};
use serde_json::{Value, json};

use super::{CANARY, Untouched, refused, with};

#[track_caller]
fn check(untouched: &Untouched, body: &Value, faults: &[&str]) {
    let call = untouched.app.call("PUT", "/customers/cus-1").json(body);
    refused(call, 422, "validation-failed", faults);
}

#[test]
fn null_clears_no_required_field() {
    let untouched = Untouched::start();
    let required = ["name", "email", "phone_number", "date_of_birth", "address", "identity_document"];
    for name in required {
        check(&untouched, &json!({name: null}), &[&format!("/{name} field.required")]);
    }
    let all = Value::Object(required.iter().map(|name| ((*name).to_owned(), Value::Null)).collect());
    let mut faults = required.map(|name| format!("/{name} field.required"));
    faults.sort();
    check(&untouched, &all, &faults.each_ref().map(String::as_str));
    check(
        &untouched,
        &json!({"address": {"line1": null}}),
        &["/address/city field.required", "/address/country field.required", "/address/line1 field.required"],
    );
}

#[test]
fn a_change_is_read_as_strictly_as_a_registration() {
    let untouched = Untouched::start();
    let whole = ada_in_full("cus-1", "925076473");
    for (pointer, value, code) in [
        ("/name", json!(format!("{CANARY}\u{202e}")), "name.invalid"),
        ("/name", json!("A•• L•••••••"), "field.masked"),
        ("/name", json!([CANARY]), "field.type"),
        ("/email", json!(CANARY), "email.invalid"),
        ("/phone_number", json!("+99912345678"), "phone_number.invalid"),
        ("/date_of_birth", json!("2026-03-16"), "date_of_birth.future"),
        ("/address/country", json!("UK"), "country.unknown"),
        ("/identity_document/number", json!("•••••6473"), "field.masked"),
        ("/identity_document/mrz", json!([CANARY]), "mrz.invalid"),
        ("/nationalities/0", json!("XX"), "country.unknown"),
        ("/gender", json!(CANARY), "gender.unknown"),
        ("/tax_ids/0/number", json!("?"), "tax_id.invalid"),
        ("/consents/0/given_at", json!(CANARY), "consent.given_at"),
        ("/status", json!("verified"), "field.unknown"),
        ("/role", json!("admin"), "field.unknown"),
        ("/version", json!(7), "field.unknown"),
        ("/reverification", json!(false), "field.unknown"),
    ] {
        let body = with(whole.clone(), pointer, value);
        check(&untouched, &body, &[&format!("{pointer} {code}")]);
    }
    check(
        &untouched,
        &json!({"name": " ", "email": CANARY, "address": [], "role": CANARY}),
        &["/address field.type", "/email email.invalid", "/name name.blank", "/role field.unknown"],
    );
}

#[test]
fn an_id_can_not_change() {
    let untouched = Untouched::start();
    let mismatch = "/customer_id customer_id.mismatch";
    check(&untouched, &json!({"customer_id": CANARY, "name": "Ada King"}), &[mismatch]);
    check(&untouched, &json!({"customer_id": "", "name": "Ada King"}), &[mismatch]);
    check(&untouched, &json!({"customer_id": 7}), &["/customer_id field.type"]);
}

#[test]
fn what_is_new_must_fit_what_stays() {
    let untouched = Untouched::start();
    let born_late = json!({"date_of_birth": "2026-03-15"});
    untouched
        .app
        .call("PUT", "/customers/cus-1")
        .header("If-Match", "\"9\"")
        .json(&born_late)
        .send()
        .expect(412);
    let early = with(passport("1"), "/issued_on", json!("1990-12-09"));
    check(
        &untouched,
        &json!({"identity_document": early}),
        &["/identity_document/issued_on identity_document.issued_before_birth"],
    );
}

#[test]
fn an_if_match_that_is_none_is_a_400() {
    let untouched = Untouched::start();
    for bad in ["1", "\"1", "1\"", ",", "", CANARY, "'1'"] {
        let call = untouched.app.call("PUT", "/customers/cus-1").header("If-Match", bad);
        refused(call.json(&json!({"name": "Ada King"})), 400, "bad-request", &[]);
    }
}

#[test]
fn a_change_of_nobody_is_a_404_whatever_is_in_it() {
    let untouched = Untouched::start();
    for body in [json!({"name": "Ada King"}), json!({"name": " ", "role": CANARY}), json!({})] {
        refused(untouched.app.call("PUT", "/customers/cus-2").json(&body), 404, "not-found", &[]);
    }
}
