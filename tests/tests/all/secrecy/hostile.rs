//! Requests that fail, each with a canary where it should not be.

use kyc_core::domain::actor::RequestId;
use kyc_tests::process::Client;
use serde_json::{Value, json};

use super::canaries::{CANARIES, customer};

/// A request in short, and the whole answer to it.
type Answered = (String, Vec<u8>);

/// Sends them all. Every answer is an error's.
pub(super) fn provoke(client: &Client, key: &str) -> Vec<Answered> {
    let mut answered = Vec::new();
    for canary in CANARIES {
        let value = canary.value;
        for request in lines(value).into_iter().chain(headers(value)).chain(bodies(value)) {
            let bytes = request.bytes(key);
            let answer = client.raw(&bytes);
            let status: Option<u16> = answer
                .get(9..12)
                .and_then(|code| str::from_utf8(code).ok())
                .and_then(|code| code.parse().ok());
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert!(
                answer.starts_with(b"HTTP/1.1 ") && status.is_some_and(|status| status >= 400),
                "{shown}\nwas answered\n{}",
                String::from_utf8_lossy(&answer)
            );
            answered.push((shown, answer));
        }
    }
    answered
}

struct Request {
    line: String,
    authorization: Option<String>,
    content_type: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn of(method: &str, path: &str) -> Self {
        Self {
            line: format!("{method} {path} HTTP/1.1"),
            authorization: None,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn with_body(method: &str, path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::of(method, path) }
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        let authorization = self.authorization.clone().unwrap_or_else(|| format!("Bearer {key}"));
        let mut lines = vec![self.line.clone(), "Connection: close".to_owned()];
        lines.push(format!("Authorization: {authorization}"));
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            lines.push("Host: localhost".to_owned());
        }
        if !self.body.is_empty() {
            lines.push(format!("Content-Type: {}", self.content_type));
            lines.push(format!("Content-Length: {}", self.body.len()));
        }
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let head = lines.join("\r\n") + "\r\n";
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

fn encoded(value: &str) -> String {
    value.bytes().flat_map(|byte| ["%".to_owned(), data_encoding::HEXUPPER.encode(&[byte])]).collect()
}

/// In the request line.
fn lines(value: &str) -> Vec<Request> {
    let encoded = encoded(value);
    let token: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let paths = [
        format!("/customers/{encoded}"),
        format!("/customers/{encoded}/kyc-status"),
        format!("/customers/{encoded}/verifications"),
        format!("/customers/{token}"),
        format!("/{encoded}"),
        format!("/customers/c/{encoded}"),
        format!("/customers/../{encoded}"),
        format!("/customers?{encoded}=1"),
        format!("/customers?status={encoded}"),
        format!("/customers?stage={encoded}"),
        format!("/customers?limit={encoded}"),
        format!("/customers?cursor={encoded}"),
        format!("/customers/c?name={encoded}"),
        format!("/report?start={encoded}&end=tomorrow"),
    ];
    let mut requests: Vec<_> = paths.iter().map(|path| Request::of("GET", path)).collect();
    requests.push(Request::of(&token, "/customers"));
    requests.push(Request { line: format!("GET /customers {value}"), ..Request::of("GET", "/") });
    requests.push(Request { line: format!("GET /customers/{value} HTTP/1.1"), ..Request::of("GET", "/") });
    requests.push(Request::of("DELETE", &format!("/customers/{encoded}")));
    requests.push(Request::with_body("PUT", &format!("/customers/{encoded}"), "{}"));
    requests.push(Request::with_body("POST", &format!("/customers/{encoded}/verifications"), "{}"));
    // An absolute form and an authority form, with the value as the host.
    requests.push(Request::of("GET", &format!("http://{token}/nowhere")));
    requests.push(Request::of("CONNECT", &format!("{token}:443")));
    requests
}

/// In the headers, of a request to nowhere where they do no harm by themselves.
fn headers(value: &str) -> Vec<Request> {
    let header = |name: &str, value: &str| Request {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..Request::of("GET", "/nowhere")
    };
    let mut requests: Vec<_> = [
        "Accept",
        "Content-Type",
        "Cookie",
        "Forwarded",
        "Host",
        "Idempotency-Key",
        "If-None-Match",
        "Origin",
        "Range",
        "Referer",
        "Transfer-Encoding",
        "Upgrade",
        "User-Agent",
        "X-Forwarded-For",
        "traceparent",
    ]
    .into_iter()
    .map(|name| header(name, value))
    .collect();
    let name: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    requests.push(header(&name, "1"));
    requests.push(header(value, "1"));
    requests.push(header("Content-Length", value));
    if RequestId::parse(value).is_err() {
        requests.push(header("X-Request-Id", value));
    }
    let guarded = Request::with_body("PUT", "/customers/c", "{\"status\": 1}");
    requests.push(Request { headers: vec![("If-Match".to_owned(), format!("\"{value}\""))], ..guarded });
    for authorization in [format!("Bearer {value}"), format!("Basic {value}"), value.to_owned()] {
        requests.push(Request { authorization: Some(authorization), ..Request::of("GET", "/customers") });
    }
    let body = customer("never").to_string();
    requests.push(Request {
        content_type: format!("text/{value}"),
        ..Request::with_body("POST", "/customers", body)
    });
    requests
}

/// In bodies.
fn bodies(value: &str) -> Vec<Request> {
    let mut documents = vec![json!(value), json!([value]), json!({value: value}), json!({"name": value})];
    // At each place where another value or another type belongs.
    for place in ["", "/address", "/identity_document", "/tax_ids/0", "/consents/0"] {
        let names: Vec<String> =
            customer("c").pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
        for wrong in [json!([value]), json!({value: value})] {
            let mut body = customer("never");
            let fields = body.pointer_mut(place).unwrap().as_object_mut().unwrap();
            for name in &names {
                fields.insert(name.clone(), wrong.clone());
            }
            documents.push(body);
        }
        let mut unknown = customer("never");
        unknown.pointer_mut(place).unwrap()[value] = json!(value);
        documents.push(unknown);
    }
    // Text where another form is expected; a control character makes any text invalid.
    let mut misplaced = customer("never");
    for place in ["/email", "/phone_number", "/date_of_birth", "/gender"] {
        *misplaced.pointer_mut(place).unwrap() = json!(format!("{value}\u{7}"));
    }
    documents.push(misplaced.clone());
    for place in ["/name", "/customer_id", "/address/line1", "/address/country", "/identity_document/number"]
    {
        *misplaced.pointer_mut(place).unwrap() = json!(format!("\u{7}{value}"));
    }
    misplaced["identity_document"]["mrz"] = json!([value, value]);
    misplaced["nationalities"] = json!([value]);
    misplaced["consents"][0]["given_at"] = json!(value);
    documents.push(misplaced);

    let mut requests: Vec<_> =
        documents.iter().map(|body| Request::with_body("POST", "/customers", body.to_string())).collect();
    requests.extend(documents.iter().map(|body| Request::with_body("PUT", "/customers/c", changed(body))));
    requests.extend(
        documents.iter().map(|body| Request::with_body("POST", "/customers/search", body.to_string())),
    );
    let text = json!(value).to_string();
    for broken in [
        value.to_owned(),
        format!("{{\"name\": {text}"),
        format!("{{\"name\": {}", &text[..text.len() - 1]),
        format!("{{{text}: 1, {text}: 2}}"),
        format!("{{\"name\": {text}, \"name\": {text}}}"),
        format!("{{\"name\": {text}}} {text}"),
        format!("{{\"name\": {value}}}"),
    ] {
        requests.push(Request::with_body("POST", "/customers", broken.clone()));
        requests.push(Request::with_body("POST", "/customers/search", broken));
    }
    let mut invalid = b"{\"name\": \"\xFF".to_vec();
    invalid.extend(value.as_bytes());
    requests.push(Request::with_body("POST", "/customers", invalid));
    requests
}

/// As a change, which may leave fields out: with one that is never right.
fn changed(body: &Value) -> String {
    let mut body = body.clone();
    if let Value::Object(fields) = &mut body {
        fields.insert("status".to_owned(), json!("verified"));
    }
    body.to_string()
}
