//! `openapi/provider.json` against the types that go over the wire, both ways.

use std::collections::BTreeSet;

use kyc_adapters::provider::http::signature::SIGNATURE_HEADER;
use kyc_adapters::provider::http::wire::{
    DISCLOSED, VerificationRequest, VerificationState, WireDiscrepancy, state,
};
use kyc_core::domain::consent::Gender;
use kyc_core::domain::discrepancy::{Code, Severity};
use kyc_core::domain::document::DocumentType;
use kyc_core::domain::field::Field;
use kyc_core::ports::provider::Outcome;
use serde_json::{Value, json};

use crate::support::submission;

fn document() -> Value {
    serde_json::from_str(include_str!("../../../openapi/provider.json")).unwrap()
}

/// Every field of the bodies that we send.
fn full_request() -> Value {
    serde_json::to_value(VerificationRequest::of(&submission(1, "925076473"))).unwrap()
}

fn full_state() -> Value {
    let word = || Some(String::from("a"));
    let discrepancy =
        WireDiscrepancy { code: String::from("a"), field: word(), severity: word(), provider_code: word() };
    serde_json::to_value(VerificationState {
        event_id: word(),
        verification_id: String::from("a"),
        state: String::from("a"),
        link: word(),
        poll_after_ms: Some(1),
        outcome: word(),
        discrepancies: Some(vec![discrepancy]),
    })
    .unwrap()
}

/// Compares names of fields, level by level, and what a schema demands with what may be left out.
fn same_fields(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => document.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match value {
        Value::Object(fields) => {
            let written: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
            assert_eq!(written, fields.keys().collect(), "{at}");
            for (name, value) in fields {
                same_fields(document, &schema["properties"][name], value, &format!("{at}/{name}"));
            }
        }
        Value::Array(items) => {
            assert_eq!(schema["type"], "array", "{at}");
            same_fields(document, &schema["items"], items.first().unwrap(), &format!("{at}/0"));
        }
        Value::String(_) => assert_eq!(schema["type"], "string", "{at}"),
        Value::Number(_) => assert_eq!(schema["type"], "integer", "{at}"),
        Value::Null | Value::Bool(_) => panic!("{at}"),
    }
}

#[test]
fn the_document_has_every_field_and_no_other() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    same_fields(&document, &schemas["VerificationRequest"], &full_request(), "");
    same_fields(&document, &schemas["VerificationState"], &full_state(), "");
}

#[test]
fn what_the_document_demands_is_what_the_types_demand() {
    let document = document();
    for (schema, at) in [
        ("VerificationRequest", ""),
        ("Applicant", "/applicant"),
        ("Address", "/applicant/address"),
        ("IdentityDocument", "/applicant/identity_document"),
    ] {
        let required: Vec<_> =
            document["components"]["schemas"][schema]["required"].as_array().unwrap().iter().collect();
        for name in full_request().pointer(at).unwrap().as_object().unwrap().keys() {
            let mut body = full_request();
            body.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(name);
            let demanded = serde_json::from_value::<VerificationRequest<'_>>(body).is_err();
            assert_eq!(demanded, required.contains(&&json!(name)), "{at}/{name}");
        }
    }
}

#[test]
fn every_word_of_the_document_is_one_of_ours_and_none_is_missing() {
    let document = document();
    let check = |schema: &str, field: &str, ours: Vec<&str>| {
        assert_eq!(
            document["components"]["schemas"][schema]["properties"][field]["enum"],
            json!(ours),
            "{field}"
        );
    };
    check("Discrepancy", "code", Code::ALL.iter().map(|word| word.as_str()).collect());
    check("Discrepancy", "field", Field::ALL.iter().map(|word| word.as_str()).collect());
    check("Discrepancy", "severity", Severity::ALL.iter().map(|word| word.as_str()).collect());
    check("Applicant", "gender", Gender::ALL.iter().map(|word| word.as_str()).collect());
    check("IdentityDocument", "type", DocumentType::ALL.iter().map(|word| word.as_str()).collect());
    // `unknown` is what we make of a word, none that a provider should say.
    let outcomes =
        Outcome::ALL.iter().filter(|word| **word != Outcome::Unknown).map(|word| word.as_str()).collect();
    check("VerificationState", "outcome", outcomes);
    check("VerificationState", "state", vec![state::PROCESSING, state::AWAITING_CUSTOMER, state::DONE]);
    assert_eq!(document["components"]["securitySchemes"]["signature"]["name"], SIGNATURE_HEADER);
}

#[test]
fn every_example_can_be_read() {
    let document = document();
    let values = |pointer: &str| -> Vec<Value> {
        let examples =
            document.pointer(pointer).unwrap()["application/json"]["examples"].as_object().unwrap();
        examples.values().map(|example| example["value"].clone()).collect()
    };
    let requests = values("/paths/~1v1~1verifications/post/requestBody/content");
    assert_eq!(requests.len(), 2);
    for example in requests {
        assert!(serde_json::from_value::<VerificationRequest<'_>>(example.clone()).is_ok(), "{example}");
    }
    let mut states = values("/components/responses/State/content");
    states.extend(values("/webhooks/verification/post/requestBody/content"));
    assert_eq!(states.len(), 6);
    for example in states {
        let read: VerificationState = serde_json::from_value(example.clone()).unwrap();
        // Nothing of the example was ignored.
        assert_eq!(serde_json::to_value(read).unwrap(), example);
    }
}

#[test]
fn what_is_disclosed_is_what_is_sent() {
    let request = full_request();
    let mut sent = BTreeSet::new();
    for (name, value) in request["applicant"].as_object().unwrap() {
        match value.as_object().filter(|_| name == "identity_document") {
            Some(parts) => sent.extend(parts.keys().map(|part| format!("{name}.{part}"))),
            None => drop(sent.insert(name.clone())),
        }
    }
    assert_eq!(sent, DISCLOSED.iter().map(|field| field.as_str().to_owned()).collect());
}
