//! Every example in the document works when it is pasted.

use kyc_tests::app::{TestApp, document};
use serde_json::Value;

/// The example of a request's body, where the operation takes one.
fn example(operation: &Value) -> Option<Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    if schema.is_null() {
        return None;
    }
    let example = &document::served().resolved(schema)["example"];
    assert!(example.is_object(), "{} has no example", operation["operationId"]);
    Some(example.clone())
}

#[test]
fn every_example_of_a_request_is_answered_with_success() {
    let app = TestApp::start();
    let (mut operations, mut sent) = (document::served().operations(), 0);
    // The first of them registers the customer whom the others are about.
    operations.sort_by_key(|(method, template, _)| {
        (method != "POST" || template != "/customers", template.clone())
    });
    let mut id = String::new();
    for (method, template, operation) in operations {
        let Some(example) = example(operation) else { continue };
        let path = template.replace("{id}", &id);
        let answer = app.call(&method, &path).json(&example).send();
        assert!((200..300).contains(&answer.status), "{method} {template}: {}", answer.text);
        if let Some(registered) = example["customer_id"].as_str() {
            registered.clone_into(&mut id);
        }
        sent += 1;
    }
    assert_eq!(sent, 6);
    app.run_due();
    assert_eq!(app.standing(&id), "verified", "the example shows what one hopes for");
}

#[test]
fn every_example_of_a_schema_is_one() {
    let document = document::served();
    let mut examples = 0;
    for (name, schema) in document.json["components"]["schemas"].as_object().unwrap() {
        let properties = schema["properties"].as_object().into_iter().flatten().map(|(_, property)| property);
        for schema in properties.chain([schema]).filter(|schema| !schema["example"].is_null()) {
            assert_eq!(document.faults(schema, &schema["example"], name), [""; 0]);
            examples += 1;
        }
    }
    assert!(examples >= 10, "{examples}");
}

#[test]
fn the_examples_of_parameters_make_a_request_that_works() {
    // So that the one who is erased may be.
    let app = TestApp::builder().policy(|policy| policy.retention_years = 0).start();
    app.register("cus-1001", "1");
    for (method, template, operation) in document::served().operations() {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let required =
            parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
        let pairs: Vec<String> = required
            .map(|parameter| {
                let example = parameter["schema"]["example"].as_str();
                format!(
                    "{}={}",
                    parameter["name"].as_str().unwrap(),
                    example.expect("a required one has an example")
                )
            })
            .collect();
        if !pairs.is_empty() {
            let path = template.replace("{id}", "cus-1001");
            let answer = app.call(&method, &format!("{path}?{}", pairs.join("&"))).send();
            assert!((200..300).contains(&answer.status), "{method} {template}: {}", answer.text);
        }
    }
}
