//! The validator by which answers are held against the document finds what is wrong.

use kyc_tests::app::document::Document;
use serde_json::{Value, json};

#[track_caller]
fn check(schema: &Value, value: &Value, faults: &[&str]) {
    let components = json!({"schemas": {
        "Word": {"type": "string", "enum": ["a", "b"]},
        "Thing": {"type": "object", "required": ["word"], "properties": {
            "word": {"$ref": "#/components/schemas/Word"}, "more": {"type": "string", "nullable": true},
        }},
    }});
    let document = Document { json: json!({"components": components, "paths": {}}) };
    assert_eq!(document.faults(schema, value, "body"), faults);
}

#[test]
fn a_value_of_another_type_or_word_is_found() {
    check(&json!({"type": "string"}), &json!(7), &["body: \"string\" is expected"]);
    check(&json!({"type": "integer"}), &json!(1.5), &["body: \"integer\" is expected"]);
    check(&json!({"type": "string", "maxLength": 2}), &json!("äöü"), &["body: too long"]);
    check(&json!({"type": "string", "maxLength": 3}), &json!("äöü"), &[]);
    check(&json!({"$ref": "#/components/schemas/Word"}), &json!("a"), &[]);
    check(
        &json!({"$ref": "#/components/schemas/Word"}),
        &json!("c"),
        &["body: not one of the words of the schema"],
    );
    check(
        &json!({"$ref": "#/components/schemas/None"}),
        &json!(1),
        &["body: #/components/schemas/None leads nowhere"],
    );
}

#[test]
fn a_format_is_more_than_a_string() {
    for (format, good, bad) in [
        ("date", json!("2026-02-28"), json!("2026-02-30")),
        ("date", json!("2026-02-28"), json!("2026-02-28T00:00:00Z")),
        ("date-time", json!("2026-02-28T00:00:00Z"), json!("2026-02-28")),
        ("date-time", json!("2026-02-28T00:00:00.000Z"), json!("2026-02-28T00:00:00+01:00")),
        ("uint16", json!(422), json!(70_000)),
        ("uint64", json!(0), json!(-1)),
        ("int64", json!(-1), json!(0.5)),
    ] {
        check(&json!({"format": format}), &good, &[]);
        check(&json!({"format": format}), &bad, &[&format!("body: no {format:?}")]);
    }
    check(&json!({"format": "ipv4"}), &json!("127.0.0.1"), &["body: no \"ipv4\""]);
}

#[test]
fn null_needs_leave() {
    check(&json!({"type": "string"}), &Value::Null, &["body: null, and the schema does not allow it"]);
    check(&json!({"type": "string", "nullable": true}), &Value::Null, &[]);
    check(&json!({"type": "string", "enum": ["a"], "nullable": true}), &Value::Null, &[]);
    // As OpenAPI 3.0 has it, leave beside a reference is none: the schema that it leads to says no.
    let beside = json!({"allOf": [{"$ref": "#/components/schemas/Word"}], "nullable": true});
    check(&beside, &Value::Null, &["body: null, and the schema does not allow it"]);
}

#[test]
fn fields_are_looked_at_to_any_depth() {
    let things = json!({"type": "array", "items": {"$ref": "#/components/schemas/Thing"}});
    check(&things, &json!([{"word": "a"}, {"word": "b", "more": null}]), &[]);
    check(
        &things,
        &json!([{"word": "a"}, {"more": 7}, {"word": "c"}]),
        &[
            "body/1: word is missing",
            "body/1/more: \"string\" is expected",
            "body/2/word: not one of the words of the schema",
        ],
    );
    let closed = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
    check(&closed, &json!({"a": 1, "b": 2}), &["body: b is not in the schema"]);
    let both =
        json!({"allOf": [{"$ref": "#/components/schemas/Thing"}, {"properties": {"more": {"enum": ["x"]}}}]});
    check(&both, &json!({"word": "a", "more": "y"}), &["body/more: not one of the words of the schema"]);
}

#[test]
fn a_keyword_that_is_not_known_is_a_fault() {
    check(&json!({"oneOf": []}), &json!(1), &["body: the validator does not know oneOf"]);
    check(&json!(true), &json!(1), &["body: the schema is no object"]);
}

#[test]
fn a_field_that_no_schema_has_is_found_where_it_is() {
    let document = Document { json: json!({"components": {"schemas": {"T": {"properties": {"a": {}}}}}}) };
    let schema = json!({"properties": {
        "list": {"type": "array", "items": {"$ref": "#/components/schemas/T"}},
        "one": {"allOf": [{"$ref": "#/components/schemas/T"}, {"description": "x"}]},
    }});
    let value = json!({"list": [{"a": 1}, {"b": 2}], "one": {"a": 1, "c": 3}, "d": 4});
    assert_eq!(document.unannounced(&schema, &value, ""), ["/list/b", "/one/c", "/d"]);
}
