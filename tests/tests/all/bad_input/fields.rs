//! Values that a registration does not take, field by field and all at once.

use kyc_tests::app::customers::{ada, ada_in_full};
use serde_json::{Value, json};

use super::{CANARY, Untouched, with};

/// The value at the pointer of a full registration is refused with this fault at the same place.
fn check(untouched: &Untouched, pointer: &str, value: &Value, code: &str) {
    let body = with(ada_in_full("cus-2", "925076474"), pointer, value.clone());
    untouched.refuses("/customers", &body, &[&format!("{pointer} {code}")]);
}

#[test]
fn every_field_refuses_what_it_can_not_be() {
    let untouched = Untouched::start();
    let long = |length: usize| json!(format!("{CANARY}{}", "x".repeat(length)));
    for (pointer, value, code) in [
        ("/name", json!("   "), "name.blank"),
        ("/name", json!("\u{200b}\u{2060}"), "name.blank"),
        ("/name", json!(""), "name.blank"),
        ("/name", json!(format!("{CANARY}\u{7}")), "name.invalid"),
        ("/name", json!(format!("{CANARY}\nx")), "name.invalid"),
        ("/name", json!(format!("\u{202e}{CANARY}")), "name.invalid"),
        ("/name", json!(format!("{CANARY}\u{2066}x\u{2069}")), "name.invalid"),
        ("/name", json!(format!("{CANARY}\u{0}")), "name.invalid"),
        ("/name", long(200), "name.too_long"),
        ("/email", json!(CANARY), "email.invalid"),
        ("/email", json!(format!("{CANARY}@localhost")), "email.invalid"),
        ("/email", json!(format!("{CANARY} x@example.com")), "email.invalid"),
        ("/email", json!(format!("{CANARY}@example.com\r\nBcc: x@example.com")), "email.invalid"),
        ("/email", long(5_000), "email.invalid"),
        ("/phone_number", json!("020 7946 0958"), "phone_number.invalid"),
        ("/phone_number", json!("+99912345678"), "phone_number.invalid"),
        ("/phone_number", json!("+441"), "phone_number.invalid"),
        ("/phone_number", json!("+4420794609580000000"), "phone_number.invalid"),
        ("/phone_number", json!(CANARY), "phone_number.invalid"),
        ("/date_of_birth", json!("1990-02-30"), "date.invalid"),
        ("/date_of_birth", json!("1990-2-3"), "date.invalid"),
        ("/date_of_birth", json!("1990-12-10T00:00:00Z"), "date.invalid"),
        ("/date_of_birth", json!(CANARY), "date.invalid"),
        ("/date_of_birth", json!("2026-03-16"), "date_of_birth.future"),
        ("/date_of_birth", json!("1895-03-15"), "date_of_birth.too_old"),
        ("/address/line1", json!("  "), "address.blank"),
        ("/address/city", json!(format!("{CANARY}\u{202e}")), "address.invalid"),
        ("/address/line2", long(200), "address.too_long"),
        ("/address/region", json!("\u{3164}"), "address.blank"),
        ("/address/postal_code", json!("SW1Y_4JH"), "postal_code.invalid"),
        ("/address/postal_code", long(20), "postal_code.invalid"),
        ("/address/country", json!("XX"), "country.unknown"),
        ("/address/country", json!("UK"), "country.unknown"),
        ("/address/country", json!("gb"), "country.unknown"),
        ("/address/country", json!("GBR"), "country.unknown"),
        ("/address/country", json!("XK"), "country.unknown"),
        ("/address/country", json!(CANARY), "country.unknown"),
        ("/identity_document/type", json!(CANARY), "document_type.unknown"),
        ("/identity_document/type", json!("Passport"), "document_type.unknown"),
        ("/identity_document/number", json!("../.."), "document_number.invalid"),
        ("/identity_document/number", json!("L898902C3<"), "document_number.invalid"),
        ("/identity_document/number", long(40), "document_number.invalid"),
        ("/identity_document/issuing_country", json!("UTO"), "country.unknown"),
        ("/identity_document/issued_on", json!("2026-03-16"), "identity_document.issued_in_future"),
        ("/identity_document/issued_on", json!("1990-12-09"), "identity_document.issued_before_birth"),
        ("/identity_document/expires_on", json!("2021-04-30"), "identity_document.dates"),
        ("/identity_document/expires_on", json!("2031-13-01"), "date.invalid"),
        ("/identity_document/mrz", json!([CANARY]), "mrz.invalid"),
        ("/identity_document/mrz", json!(["P<".repeat(22)]), "mrz.invalid"),
        ("/identity_document/mrz", json!(["<".repeat(44), "<".repeat(36)]), "mrz.invalid"),
        ("/identity_document/mrz", json!(["p".repeat(44), "<".repeat(44)]), "mrz.invalid"),
        ("/identity_document/mrz", json!([]), "mrz.invalid"),
        ("/nationalities/1", json!("XX"), "country.unknown"),
        ("/nationalities/1", json!("GB"), "nationalities.repeated"),
        (
            "/nationalities",
            json!("AD AE AF AG AI AL AM AO AQ AR AS".split(' ').collect::<Vec<_>>()),
            "nationalities.too_many",
        ),
        ("/place_of_birth", json!(" "), "place_of_birth.blank"),
        ("/gender", json!("F"), "gender.unknown"),
        ("/gender", json!(CANARY), "gender.unknown"),
        ("/tax_ids/0/country", json!("gb"), "country.unknown"),
        ("/tax_ids/0/number", json!("?"), "tax_id.invalid"),
        ("/consents/0/purpose", json!(CANARY), "consent.purpose"),
        ("/consents/0/given_at", json!("2026-03-15"), "consent.given_at"),
        ("/consents/0/given_at", json!("2026-03-15T12:00:01Z"), "consent.future"),
        ("/consents/0/text_version", json!(format!("{CANARY} 1")), "consent.text_version"),
    ] {
        check(&untouched, pointer, &value, code);
    }
}

#[test]
fn dates_and_ages_at_their_borders_are_taken() {
    let untouched = Untouched::start();
    // Refused for the number alone, so that nothing is stored.
    for (pointer, value) in [
        ("/date_of_birth", "1895-03-16"),
        ("/date_of_birth", "2026-03-15"),
        ("/date_of_birth", "1992-02-29"),
        ("/identity_document/expires_on", "1990-12-10"),
        ("/identity_document/issued_on", "2026-03-15"),
    ] {
        let body = with(ada("cus-2", "?"), pointer, json!(value));
        untouched.refuses("/customers", &body, &["/identity_document/number document_number.invalid"]);
    }
}

#[test]
fn a_masked_value_is_refused_wherever_it_stands() {
    let untouched = Untouched::start();
    let masked = json!(format!("{CANARY}••••"));
    for pointer in [
        "/name",
        "/email",
        "/phone_number",
        "/date_of_birth",
        "/address/line1",
        "/address/line2",
        "/address/city",
        "/address/region",
        "/address/postal_code",
        "/address/country",
        "/identity_document/type",
        "/identity_document/number",
        "/identity_document/issuing_country",
        "/identity_document/issued_on",
        "/identity_document/expires_on",
        "/nationalities/0",
        "/place_of_birth",
        "/gender",
        "/tax_ids/0/country",
        "/tax_ids/0/number",
        "/consents/0/purpose",
        "/consents/0/given_at",
        "/consents/0/text_version",
    ] {
        check(&untouched, pointer, &masked, "field.masked");
    }
    check(&untouched, "/identity_document/mrz", &json!([masked, masked]), "field.masked");
}

#[test]
fn a_value_of_another_type_is_refused_wherever_it_stands() {
    let untouched = Untouched::start();
    let texts = [
        "/customer_id",
        "/name",
        "/email",
        "/phone_number",
        "/date_of_birth",
        "/address/line1",
        "/address/line2",
        "/address/city",
        "/address/region",
        "/address/postal_code",
        "/address/country",
        "/identity_document/type",
        "/identity_document/number",
        "/identity_document/issuing_country",
        "/identity_document/issued_on",
        "/identity_document/expires_on",
        "/nationalities/0",
        "/place_of_birth",
        "/gender",
        "/tax_ids/0/country",
        "/tax_ids/0/number",
        "/consents/0/purpose",
        "/consents/0/given_at",
        "/consents/0/text_version",
    ];
    for value in [json!(7), json!(true), json!([CANARY]), json!({CANARY: CANARY}), json!(1.5e300)] {
        for pointer in texts {
            let body = with(ada_in_full("cus-2", "925076474"), pointer, value.clone());
            let required = format!("{pointer} field.type");
            untouched.refuses("/customers", &body, &[&required]);
        }
        for pointer in ["/address", "/identity_document", "/tax_ids/0", "/consents/0"] {
            if !value.is_object() {
                check(&untouched, pointer, &value, "field.type");
            }
        }
        for pointer in ["/nationalities", "/tax_ids", "/consents", "/identity_document/mrz"] {
            if !value.is_array() {
                check(&untouched, pointer, &value, "field.type");
            }
        }
    }
}

#[test]
fn a_required_field_that_is_missing_or_null_is_named() {
    let untouched = Untouched::start();
    for pointer in [
        "/customer_id",
        "/name",
        "/email",
        "/phone_number",
        "/date_of_birth",
        "/address",
        "/address/line1",
        "/address/city",
        "/address/country",
        "/identity_document",
        "/identity_document/type",
        "/identity_document/number",
        "/identity_document/issuing_country",
        "/tax_ids/0/country",
        "/tax_ids/0/number",
        "/consents/0/purpose",
        "/consents/0/given_at",
        "/consents/0/text_version",
    ] {
        check(&untouched, pointer, &Value::Null, "field.required");
        let mut body = ada_in_full("cus-2", "925076474");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        untouched.refuses("/customers", &body, &[&format!("{pointer} field.required")]);
    }
}

#[test]
fn an_unknown_field_is_refused_wherever_it_stands_and_its_value_not_repeated() {
    let untouched = Untouched::start();
    for pointer in [
        "/status",
        "/role",
        "/stage",
        "/version",
        "/subject",
        "/address/zip",
        "/identity_document/verified",
        "/tax_ids/0/type",
        "/consents/0/status",
    ] {
        check(&untouched, pointer, &json!(CANARY), "field.unknown");
    }
    // A name that may be a value is not repeated either.
    let body = with(ada("cus-2", "1"), &format!("/address/{CANARY} 1"), json!(1));
    untouched.refuses("/customers", &body, &["/address field.unknown"]);
}

#[test]
fn every_fault_of_every_field_comes_at_once_and_none_of_the_values() {
    let untouched = Untouched::start();
    let bad = json!({
        "customer_id": format!("{CANARY}/.."),
        "name": format!("{CANARY}\u{7}"),
        "email": CANARY,
        "phone_number": CANARY,
        "date_of_birth": CANARY,
        "address": {
            "line1": format!("{CANARY}\n"), "line2": format!("{CANARY}\n"), "city": format!("{CANARY}\n"),
            "region": format!("{CANARY}\n"), "postal_code": format!("{CANARY}{CANARY}"), "country": CANARY,
            "zip": CANARY,
        },
        "identity_document": {
            "type": CANARY, "number": format!("{CANARY}?"), "issuing_country": CANARY, "expires_on": CANARY,
            "issued_on": CANARY, "mrz": [CANARY], "front": CANARY,
        },
        "nationalities": [CANARY, CANARY],
        "place_of_birth": format!("{CANARY}\u{202e}"),
        "gender": CANARY,
        "tax_ids": [{"country": CANARY, "number": format!("{CANARY}?")}, CANARY],
        "consents": [{"purpose": CANARY, "given_at": CANARY, "text_version": format!("{CANARY} ")}],
        "status": CANARY,
        "role": CANARY,
    });
    untouched.refuses(
        "/customers",
        &bad,
        &[
            "/address/city address.invalid",
            "/address/country country.unknown",
            "/address/line1 address.invalid",
            "/address/line2 address.invalid",
            "/address/postal_code postal_code.invalid",
            "/address/region address.invalid",
            "/address/zip field.unknown",
            "/consents/0/given_at consent.given_at",
            "/consents/0/purpose consent.purpose",
            "/consents/0/text_version consent.text_version",
            "/customer_id customer_id.invalid",
            "/date_of_birth date.invalid",
            "/email email.invalid",
            "/gender gender.unknown",
            "/identity_document/expires_on date.invalid",
            "/identity_document/front field.unknown",
            "/identity_document/issued_on date.invalid",
            "/identity_document/issuing_country country.unknown",
            "/identity_document/mrz mrz.invalid",
            "/identity_document/number document_number.invalid",
            "/identity_document/type document_type.unknown",
            "/name name.invalid",
            "/nationalities/0 country.unknown",
            "/nationalities/1 country.unknown",
            "/phone_number phone_number.invalid",
            "/place_of_birth place_of_birth.invalid",
            "/role field.unknown",
            "/status field.unknown",
            "/tax_ids/0/country country.unknown",
            "/tax_ids/0/number tax_id.invalid",
            "/tax_ids/1 field.type",
        ],
    );
    untouched.refuses(
        "/customers",
        &json!({}),
        &[
            "/address field.required",
            "/customer_id field.required",
            "/date_of_birth field.required",
            "/email field.required",
            "/identity_document field.required",
            "/name field.required",
            "/phone_number field.required",
        ],
    );
}

#[test]
fn an_id_that_can_not_stand_in_a_path_is_refused() {
    let untouched = Untouched::start();
    for bad in ["", "../etc", "a/b", "a b", "-a", ".a", "ä", "a%2fb", "a\n", "a?b", "a#b", &"x".repeat(65)] {
        let body = ada(bad, "1");
        untouched.refuses("/customers", &body, &["/customer_id customer_id.invalid"]);
    }
    untouched.refuses("/customers", &ada("search", "1"), &["/customer_id customer_id.reserved"]);
}

#[test]
fn an_id_that_is_taken_is_refused_whatever_comes_with_it() {
    let untouched = Untouched::start();
    for number in ["925076473", "1"] {
        let call = untouched.app.call("POST", "/customers").json(&ada("cus-1", number));
        super::refused(call, 409, "customer-id-taken", &[]);
    }
    let other_case = untouched.app.call("POST", "/customers").json(&ada("CUS-1", "?"));
    let faults = ["/identity_document/number document_number.invalid"];
    super::refused(other_case, 422, "validation-failed", &faults);
}

#[test]
fn what_a_policy_demands_is_missed_by_its_name() {
    use kyc_core::domain::field::Field;
    let app = kyc_tests::app::TestApp::builder()
        .policy(|policy| policy.required_fields = [Field::Nationalities, Field::Consents].into())
        .start();
    let call = app.call("POST", "/customers").json(&ada("cus-1", "1"));
    let faults = ["/consents field.required", "/nationalities field.required"];
    super::refused(call, 422, "validation-failed", &faults);
    app.post("/customers", &ada_in_full("cus-1", "1")).expect(201);
    let call = app.call("PUT", "/customers/cus-1").json(&json!({"consents": null}));
    super::refused(call, 422, "validation-failed", &["/consents field.required"]);
}
