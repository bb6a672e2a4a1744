//! Is this person among our customers? An exact search by each kind of personal data.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use kyc_tests::app::reply::str;
use serde_json::{Value, json};

fn found(app: &TestApp, form: &Value) -> Vec<String> {
    let found = app.post("/customers/search", form).expect(200).json;
    found["items"].as_array().unwrap().iter().map(|one| str(&one["customer_id"]).to_owned()).collect()
}

#[test]
fn a_customer_is_found_by_each_kind_of_personal_data() {
    let app = TestApp::start();
    app.register("cus-1", "C01X0006H");
    for form in [
        json!({"email": "ADA@Example.com"}),
        json!({"phone_number": "+442079460958"}),
        json!({"document_number": "c01-x00 06h"}),
        json!({"name": "ÁDA   lovelace", "date_of_birth": "1990-12-10"}),
    ] {
        assert_eq!(found(&app, &form), ["cus-1"], "{form}");
    }
    for form in [
        json!({"email": "da@example.com"}),
        json!({"phone_number": "+442079460959"}),
        json!({"document_number": "C01X0006"}),
        json!({"name": "Ada Lovelace", "date_of_birth": "1990-12-11"}),
        json!({"name": "Ada", "date_of_birth": "1990-12-10"}),
    ] {
        assert_eq!(found(&app, &form), [""; 0], "{form}");
    }
}

#[test]
fn several_customers_are_found_newest_first_with_their_data() {
    let app = TestApp::start();
    for id in ["cus-1", "cus-2", "cus-3"] {
        app.register(id, "925076473");
        app.advance(1);
    }
    let mut other = ada("cus-4", "925076474");
    other["email"] = json!("eve@example.com");
    app.post("/customers", &other).expect(201);
    assert_eq!(found(&app, &json!({"email": "ada@example.com"})), ["cus-3", "cus-2", "cus-1"]);
    let items = app.post("/customers/search", &json!({"email": "eve@example.com"})).expect(200).json;
    assert_eq!(items["items"], json!([app.get("/customers/cus-4").expect(200).json]));
}

#[test]
fn a_customer_is_found_by_what_is_true_now() {
    let app = TestApp::start();
    app.register("cus-1", "925076473");
    app.update("cus-1", &json!({"email": "ada@example.org", "name": "Ada King"})).expect(200);
    assert_eq!(found(&app, &json!({"email": "ada@example.com"})), [""; 0]);
    assert_eq!(found(&app, &json!({"email": "ada@example.org"})), ["cus-1"]);
    assert_eq!(found(&app, &json!({"name": "Ada King", "date_of_birth": "1990-12-10"})), ["cus-1"]);
    assert_eq!(found(&app, &json!({"phone_number": "+442079460958"})), ["cus-1"]);
}
