//! A customer whose every personal field has a value that stands nowhere else.

use serde_json::{Value, json};

/// A value to search for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canary {
    /// What it is.
    pub(super) name: &'static str,
    /// The value.
    pub(super) value: &'static str,
}

const fn canary(name: &'static str, value: &'static str) -> Canary {
    Canary { name, value }
}

pub(super) const DOCUMENT_NUMBER: &str = "ZQ83K7714";
const MRZ: [&str; 2] =
    ["P<GBRQUENBYFELDT<UEMLAUTOVA<<ZORVALINE<ZQ<<<", "ZQ83K77145GBR8703293F3107128<<<<<<<<<<<<<<02"];

/// All of them.
pub(super) const CANARIES: &[Canary] = &[
    canary("name", "Zorvaline \"Zq\" Quenbyfeldt-Ümlautova"),
    canary("email", "zorvaline.postbox@quenbymail.example"),
    canary("phone number", "+447400123456"),
    canary("date of birth", "1987-03-29"),
    canary("address line 1", "83 Wyxelbarrow Crescent"),
    canary("address line 2", "Flat Tuvolemma 9/b"),
    canary("city", "Gribblestonwick"),
    canary("region", "Oxenquarshire"),
    canary("postal code", "QX83 7ZKWJ"),
    canary("document number", DOCUMENT_NUMBER),
    canary("day of issue", "2021-07-13"),
    canary("day of expiry", "2031-07-12"),
    canary("MRZ line 1", MRZ[0]),
    canary("MRZ line 2", MRZ[1]),
    canary("place of birth", "Vexholm-under-Lyre"),
    canary("tax id", "TX-55-90817-3462-QW"),
];

/// The customer.
pub(super) fn customer(customer_id: &str) -> Value {
    let value = |name: &str| CANARIES.iter().find(|canary| canary.name == name).unwrap().value;
    json!({
        "customer_id": customer_id,
        "name": value("name"),
        "email": value("email"),
        "phone_number": value("phone number"),
        "date_of_birth": value("date of birth"),
        "address": {
            "line1": value("address line 1"),
            "line2": value("address line 2"),
            "city": value("city"),
            "region": value("region"),
            "postal_code": value("postal code"),
            "country": "GB",
        },
        "identity_document": {
            "type": "passport",
            "number": DOCUMENT_NUMBER,
            "issuing_country": "GB",
            "issued_on": value("day of issue"),
            "expires_on": value("day of expiry"),
            "mrz": MRZ,
        },
        "nationalities": ["GB"],
        "place_of_birth": value("place of birth"),
        "gender": "female",
        "tax_ids": [{"country": "GB", "number": value("tax id")}],
        "consents": [{"purpose": "biometric", "given_at": "2026-01-01T00:00:00Z", "text_version": "3"}],
    })
}
