//! The API's document, and whether an answer is one that it announces.
//!
//! The validator knows the part of JSON Schema (as OpenAPI 3.0 has it) that our document uses, and refuses any
//! keyword that it does not know, so that nothing in the document goes unchecked.

use std::sync::OnceLock;

use serde_json::{Map, Value};
use ureq::http::Method;

use super::Reply;

/// Keywords that say something to readers only.
const NOTES: [&str; 6] = ["title", "description", "example", "default", "externalDocs", "deprecated"];

/// An `OpenAPI` document.
#[derive(Debug)]
pub struct Document {
    /// The document itself.
    pub json: Value,
}

/// The document that the service serves.
pub fn served() -> &'static Document {
    static SERVED: OnceLock<Document> = OnceLock::new();
    SERVED.get_or_init(|| Document { json: kyc_server::api::document() })
}

impl Document {
    /// Every operation, as method, template of the path, and the operation.
    #[must_use]
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let mut all = Vec::new();
        for (template, item) in object(&self.json["paths"]) {
            for (method, operation) in object(item) {
                all.push((method.to_uppercase(), template.clone(), operation));
            }
        }
        all
    }

    /// The template of a path, such as `/customers/{id}`; words come before placeholders.
    #[must_use]
    pub fn template(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap_or_default();
        let matches = |template: &str| {
            let (mut parts, mut given) = (template.split('/'), path.split('/'));
            loop {
                match (parts.next(), given.next()) {
                    (None, None) => return true,
                    (Some(part), Some(given)) if part.starts_with('{') => {
                        if given.is_empty() {
                            return false;
                        }
                    }
                    (Some(part), Some(given)) if part == given => {}
                    (Some(_) | None, Some(_) | None) => return false,
                }
            }
        };
        let paths = self.json["paths"].as_object()?;
        let mut found: Vec<&str> = paths.keys().map(String::as_str).filter(|key| matches(key)).collect();
        found.sort_by_key(|template| template.matches('{').count());
        found.first().copied()
    }

    /// Checks that the document announces this answer to this request.
    ///
    /// # Panics
    /// Where it does not.
    #[track_caller]
    pub fn check(&self, method: &Method, path: &str, reply: &Reply) {
        let violations = self.violations(method, path, reply);
        assert!(violations.is_empty(), "{method} {}: {violations:?}\n{}", reply.status, reply.text);
    }

    /// What of an answer the document does not announce.
    #[must_use]
    pub fn violations(&self, method: &Method, path: &str, reply: &Reply) -> Vec<String> {
        // Of what is not there the document can't speak: a problem is a problem, and no more is known.
        let problem = &self.json["components"]["schemas"]["Problem"];
        let Some(template) = self.template(path) else {
            return match reply.status {
                404 | 405 => self.faults(problem, &reply.json, "body"),
                401 | 403 => Vec::new(),
                _ => vec![format!("{} where the document has no path", reply.status)],
            };
        };
        if reply.status == 405 {
            return self.faults(problem, &reply.json, "body");
        }
        let word = if *method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
        let operation = &self.json["paths"][template][&word];
        if operation.is_null() {
            return vec![format!("{template} has no {word}")];
        }
        let response = &operation["responses"][reply.status.to_string()];
        if response.is_null() {
            return vec![format!("{template} {word} does not announce a {}", reply.status)];
        }
        let mut violations = Vec::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            if header["required"] == true && !reply.headers.contains_key(name) {
                violations.push(format!("the header {name} is missing"));
            }
        }
        if *method != Method::HEAD {
            violations.extend(self.body_violations(response, reply));
        }
        violations
    }

    fn body_violations(&self, response: &Value, reply: &Reply) -> Vec<String> {
        let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_owned();
        let sent = essence(reply.header("content-type"));
        let contents = response["content"].as_object();
        let announced = contents.into_iter().flatten().find(|(media_type, _)| essence(media_type) == sent);
        match announced {
            None if reply.text.is_empty() && contents.is_none_or(Map::is_empty) => Vec::new(),
            None => vec![format!("the media type {sent} is not announced")],
            Some((_, content)) if sent.ends_with("json") => {
                let schema = &content["schema"];
                let mut faults = self.faults(schema, &reply.json, "body");
                // The schema of the document itself says nothing of its fields.
                if schema.as_object().is_some_and(|schema| !schema.is_empty()) {
                    let unannounced = self.unannounced(schema, &reply.json, "body");
                    faults.extend(unannounced.iter().map(|at| format!("{at}: not in the schema")));
                }
                faults
            }
            Some(_) => Vec::new(),
        }
    }

    /// Where a value is not as a schema says.
    #[must_use]
    pub fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let Some(keywords) = schema.as_object() else {
            return vec![format!("{at}: the schema is no object")];
        };
        if let Some(reference) = schema["$ref"].as_str() {
            let found = reference.strip_prefix('#').and_then(|pointer| self.json.pointer(pointer));
            return match found {
                Some(found) => self.faults(found, value, at),
                None => vec![format!("{at}: {reference} leads nowhere")],
            };
        }
        let mut faults = Vec::new();
        if value.is_null() && keywords.contains_key("type") {
            if schema["nullable"] != true {
                faults.push(format!("{at}: null, and the schema does not allow it"));
            }
            return faults;
        }
        for (keyword, constraint) in keywords {
            self.keyword(keyword, constraint, schema, value, at, &mut faults);
        }
        faults
    }

    fn keyword(
        &self,
        keyword: &str,
        constraint: &Value,
        schema: &Value,
        value: &Value,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        let mut fault = |is_so: bool, what: &str| {
            if is_so {
                faults.push(format!("{at}: {what}"));
            }
        };
        match keyword {
            "type" => fault(!is_type(constraint, value), &format!("{constraint} is expected")),
            "enum" => fault(
                !constraint.as_array().is_some_and(|words| words.contains(value)),
                "not one of the words of the schema",
            ),
            "maxLength" => {
                let length = value.as_str().map_or(0, |text| text.chars().count() as u64);
                fault(constraint.as_u64().is_some_and(|most| length > most), "too long");
            }
            "required" => {
                for name in constraint.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    fault(value.get(name).is_none(), &format!("{name} is missing"));
                }
            }
            "properties" => {
                for (name, property) in object(constraint) {
                    if let Some(value) = value.get(name) {
                        faults.extend(self.faults(property, value, &format!("{at}/{name}")));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object();
                for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                    let unknown = !known.is_some_and(|known| known.contains_key(name));
                    fault(unknown && *constraint == false, &format!("{name} is not in the schema"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults.extend(self.faults(constraint, item, &format!("{at}/{index}")));
                }
            }
            "allOf" => {
                for part in constraint.as_array().into_iter().flatten() {
                    faults.extend(self.faults(part, value, at));
                }
            }
            "format" => fault(!has_format(constraint, value), &format!("no {constraint}")),
            // Patterns bind what is sent; `validates_requests` in the tests sends what they allow.
            "nullable" | "pattern" => {}
            note if NOTES.contains(&note) => {}
            unknown => fault(true, &format!("the validator does not know {unknown}")),
        }
    }

    /// Fields of an object, at any depth, that its schema does not have: such a field is served and not
    /// announced, even where the schema would let it pass.
    #[must_use]
    pub fn unannounced(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        match value {
            Value::Object(fields) => {
                let mut all = Vec::new();
                for (name, value) in fields {
                    let at = format!("{at}/{name}");
                    match self.property(schema, name) {
                        Some(property) => all.extend(self.unannounced(property, value, &at)),
                        None => all.push(at),
                    }
                }
                all
            }
            Value::Array(items) => {
                let schema = self.resolved(schema);
                let of = |item| self.unannounced(&schema["items"], item, at);
                items.iter().flat_map(of).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    fn property<'d>(&'d self, schema: &'d Value, name: &str) -> Option<&'d Value> {
        let schema = self.resolved(schema);
        let direct = schema["properties"].get(name);
        direct.or_else(|| schema["allOf"].as_array()?.iter().find_map(|part| self.property(part, name)))
    }

    /// The schema that a reference leads to.
    #[must_use]
    pub fn resolved<'d>(&'d self, schema: &'d Value) -> &'d Value {
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.json.pointer(pointer)).unwrap_or(schema)
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn is_type(word: &Value, value: &Value) -> bool {
    match word.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some(_) | None => false,
    }
}

fn has_format(format: &Value, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match format.as_str() {
        Some("date") => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        Some("date-time") => text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok(),
        Some("uint16") => value.as_u64().is_some_and(|number| u16::try_from(number).is_ok()),
        Some("uint32") => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        Some("uint64") => value.is_u64(),
        Some("int64") => value.is_i64(),
        Some(_) | None => false,
    }
}
