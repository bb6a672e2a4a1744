//! What the document itself must be.

use std::collections::BTreeSet;
use std::path::Path;

use kyc_tests::app::{TestApp, document};
use serde_json::Value;

use super::super::flows::OPEN;

#[test]
fn the_document_that_is_checked_in_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/kyc.json");
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert!(
        checked_in == kyc_server::api::document_text(),
        "openapi/kyc.json is old; make it anew: cargo run -q -p kyc-server -- openapi > openapi/kyc.json"
    );
    let served = TestApp::start().call("GET", "/openapi.json").authorization(None).send().expect(200).json;
    assert_eq!(served, serde_json::from_str::<Value>(&checked_in).unwrap());
}

#[test]
fn swagger_ui_shows_the_document() {
    let page = TestApp::start().call("GET", "/docs").authorization(None).send().expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'unsafe-inline'") && !policy.contains("http"), "{policy}");
    for (_, _, operation) in document::served().operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(page.text.contains(&format!("\"operationId\":\"{id}\"")), "{id}");
    }
    for foreign in ["src=\"http", "href=\"http", "@import"] {
        assert!(!page.text.contains(foreign), "the page loads something from elsewhere: {foreign}");
    }
}

#[test]
fn every_operation_has_its_id_its_section_and_its_words() {
    let mut ids = BTreeSet::new();
    for (method, template, operation) in document::served().operations() {
        let at = format!("{method} {template}");
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id), "{at} has no id of its own: {id:?}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at} stands in one section");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !summary.ends_with('.') && summary.len() <= 60, "{at}: {summary:?}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{at}: {parameter}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            // Of a plain 200 poem-openapi has nothing to say but the schema.
            let words = response["description"].as_str().expect("a description");
            assert!(!words.is_empty() || status == "200", "{at} {status}");
        }
    }
    let tags = &document::served().json["tags"];
    assert!(tags.as_array().unwrap().iter().all(|tag| tag["description"].is_string()), "{tags}");
}

#[test]
fn every_schema_and_every_field_is_described() {
    for (name, schema) in document::served().json["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{field}");
        }
    }
}

#[test]
fn what_needs_a_key_says_so_and_can_answer_401() {
    let document = document::served();
    for (method, template, operation) in document.operations() {
        let at = format!("{method} {template}");
        let is_open = OPEN.contains(&template.as_str());
        assert_eq!(operation["security"].is_null(), is_open, "{at}");
        // A callback needs no key of ours, and a signature.
        let may_answer_401 = !is_open || template == "/webhooks/{provider}";
        assert_eq!(!operation["responses"]["401"].is_null(), may_answer_401, "{at}");
        if !is_open {
            assert_eq!(operation["security"], serde_json::json!([{"api_key": []}]), "{at}");
        }
    }
    let scheme = &document.json["components"]["securitySchemes"]["api_key"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"bearer".into()));
}

#[test]
fn every_error_is_a_problem_of_a_kind_that_can_be_looked_up() {
    let app = TestApp::start();
    let mut types = BTreeSet::new();
    for (method, template, operation) in document::served().operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let content = response["content"].as_object().unwrap();
            assert_eq!(
                content.keys().collect::<Vec<_>>(),
                ["application/problem+json"],
                "{method} {template} {status}"
            );
            let schema = &content["application/problem+json"]["schema"]["allOf"];
            assert_eq!(schema[0]["$ref"], "#/components/schemas/Problem");
            for uri in schema[1]["properties"]["type"]["enum"].as_array().unwrap() {
                types.insert((uri.as_str().unwrap().to_owned(), status.clone()));
            }
        }
    }
    assert!(types.len() >= 15, "{types:?}");
    for (uri, status) in types {
        let told = app.call("GET", &uri).authorization(None).send().expect(200).json;
        assert_eq!((told["type"].as_str(), told["status"].to_string()), (Some(&*uri), status));
        assert!(told["mend"].as_str().is_some_and(|mend| mend.ends_with('.')), "{told}");
    }
}

#[test]
fn every_schema_that_is_sent_refuses_unknown_fields() {
    let document = document::served();
    let mut seen = BTreeSet::new();
    for (method, template, operation) in document.operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if !schema.is_null() {
            assert_eq!(operation["requestBody"]["required"], true, "{method} {template}");
            closed(document, schema, &mut seen);
        }
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

/// Checks a schema and all that it refers to.
fn closed(document: &document::Document, schema: &Value, seen: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        if seen.insert(reference.to_owned()) {
            let schema = document.resolved(schema);
            assert_eq!(schema["additionalProperties"], false, "{reference}");
            closed(document, schema, seen);
        }
        return;
    }
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(_, property)| property);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    for part in properties.chain(parts).chain(schema.get("items")) {
        closed(document, part, seen);
    }
}
