//! Customers as tests send them.

use jiff::ToSpan;
use jiff::civil::Date;
use kyc_core::domain::country::Country;
use serde_json::{Value, json};

use super::{Reply, TestApp};

/// A customer of this id and document number whom every rule accepts.
///
/// Each id is a person of its own, so that nobody is somebody's double who was not meant to be: `cus-1` was born on
/// 10 December 1990 and has a British passport, others on other days and with passports of other countries.
#[must_use]
pub fn ada(id: &str, number: &str) -> Value {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    let ordinal = digits.parse().unwrap_or_else(|_| 100 + id.bytes().map(i64::from).sum::<i64>());
    let born = Date::constant(1990, 12, 10) + ((ordinal - 1) % 3000).days();
    let mut countries: Vec<Country> = Country::all().collect();
    let first = countries.iter().position(|country| country.as_str() == "GB").unwrap();
    countries.rotate_left(first);
    let nth = usize::try_from((ordinal - 1).rem_euclid(200)).unwrap();
    let mut document = passport(number);
    document["issuing_country"] = json!(countries[nth].as_str());
    json!({
        "customer_id": id,
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "phone_number": "+442079460958",
        "date_of_birth": born.to_string(),
        "address": {
            "line1": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country": "GB",
        },
        "identity_document": document,
    })
}

/// A passport of this number.
#[must_use]
pub fn passport(number: &str) -> Value {
    json!({"type": "passport", "number": number, "issuing_country": "GB", "expires_on": "2031-05-01"})
}

/// A customer with every field there is.
#[must_use]
pub fn ada_in_full(id: &str, number: &str) -> Value {
    let mut customer = ada(id, number);
    customer["address"]["line2"] = json!("Second floor");
    customer["address"]["region"] = json!("Greater London");
    customer["identity_document"]["issued_on"] = json!("2021-05-01");
    customer["nationalities"] = json!(["GB", "FR"]);
    customer["place_of_birth"] = json!("Marylebone");
    customer["gender"] = json!("female");
    customer["tax_ids"] = json!([{"country": "GB", "number": "1234567890"}]);
    customer["consents"] =
        json!([{"purpose": "biometric", "given_at": "2026-03-15T11:00:00.000Z", "text_version": "2026-01"}]);
    customer
}

impl TestApp {
    /// Registers [`ada`].
    #[track_caller]
    pub fn register(&self, id: &str, number: &str) -> Reply {
        self.post("/customers", &ada(id, number)).expect(201)
    }

    /// Registers [`ada`] and runs what is due.
    #[track_caller]
    pub fn register_and_run(&self, id: &str, number: &str) {
        self.register(id, number);
        self.run_due();
    }

    /// A customer's status.
    #[must_use]
    #[track_caller]
    pub fn status(&self, id: &str) -> Reply {
        self.get(&format!("/customers/{id}/kyc-status")).expect(200)
    }

    /// A customer's status and stage, as `pending in_review` or `verified`.
    #[must_use]
    #[track_caller]
    pub fn standing(&self, id: &str) -> String {
        let status = self.status(id).json;
        let words = ["status", "stage"].iter().filter_map(|name| status[*name].as_str());
        words.collect::<Vec<_>>().join(" ")
    }

    /// A customer's verifications, newest first.
    #[must_use]
    #[track_caller]
    pub fn verifications(&self, id: &str) -> Vec<Value> {
        let all = self.get(&format!("/customers/{id}/verifications")).expect(200);
        all.json["items"].as_array().cloned().unwrap_or_default()
    }

    /// Changes a customer.
    #[track_caller]
    pub fn update(&self, id: &str, change: &Value) -> Reply {
        self.put(&format!("/customers/{id}"), change)
    }

    /// The report over a range of days.
    #[must_use]
    #[track_caller]
    pub fn report(&self, start: &str, end: &str) -> Value {
        self.get(&format!("/report?start={start}&end={end}")).expect(200).json
    }
}
