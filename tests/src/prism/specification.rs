//! A copy of a specification that Prism can compile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// Copies a specification without the schemas that contain themselves, which may be anything in the copy.
///
/// Prism resolves references by inserting what they refer to. Of a schema that contains itself it makes one that
/// does not compile, and an answer whose schema does not compile counts as right, whatever it says.
pub(super) fn copy(from: &Path, to: &Path) {
    let mut specification: Value = serde_json::from_slice(&std::fs::read(from).unwrap()).unwrap();
    if let Some(schemas) = specification["components"]["schemas"].as_object_mut() {
        let parts: BTreeMap<String, BTreeSet<String>> =
            schemas.iter().map(|(name, schema)| (name.clone(), referred(schema))).collect();
        for (name, schema) in schemas.iter_mut().filter(|(name, _)| contains_itself(name, &parts)) {
            *schema = json!({ "description": format!("{name}, which contains itself") });
        }
    }
    std::fs::write(to, serde_json::to_vec(&specification).unwrap()).unwrap();
}

/// The schemas that a value refers to.
fn referred(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix(SCHEMAS));
            members.values().flat_map(referred).chain(own.map(str::to_owned)).collect()
        }
        Value::Array(items) => items.iter().flat_map(referred).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

fn contains_itself(name: &str, parts: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = vec![name];
    while let Some(next) = open.pop() {
        for part in parts.get(next).into_iter().flatten() {
            if part == name {
                return true;
            }
            if seen.insert(part.as_str()) {
                open.push(part);
            }
        }
    }
    false
}
