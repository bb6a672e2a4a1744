//! An answer, and what must hold of every one.

use serde_json::Value;
use ureq::http::HeaderMap;

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as text; what is no UTF-8 is marked.
    pub text: String,
    /// The body, where it is JSON; else null.
    pub json: Value,
}

impl Reply {
    /// Reads an answer.
    pub(super) fn new(status: u16, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status, headers, bytes, text, json }
    }

    /// Reads an answer from the bytes of a connection that has ended.
    ///
    /// # Panics
    /// Where it is no answer.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).expect("an answer in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name: ureq::http::HeaderName = name.parse().expect("a name of a header");
            headers.append(name, value.parse().expect("a value of a header"));
        }
        Self::new(status, headers, body.as_bytes().to_vec())
    }

    /// Checks the status, and shows the answer where it is another.
    ///
    /// # Panics
    /// Where it is another.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "the check is the point, the answer a convenience"
    )]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The value of a header that stands once; empty where it is absent.
    ///
    /// # Panics
    /// Where it stands more than once.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(all.next().is_none(), "{name} stands more than once");
        value
    }

    /// The problem's type without what is the same for all.
    ///
    /// # Panics
    /// Where the answer is no problem.
    #[must_use]
    #[track_caller]
    pub fn problem(&self) -> &str {
        self.json["type"].as_str().and_then(|uri| uri.strip_prefix("/problems/")).expect("a problem")
    }

    /// Every fault, as `pointer code`, sorted.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let faults = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut faults: Vec<_> = faults
            .iter()
            .map(|fault| format!("{} {}", str(&fault["pointer"]), str(&fault["code"])))
            .collect();
        faults.sort();
        faults
    }

    /// The codes of the discrepancies of a status or a verification.
    #[must_use]
    pub fn discrepancies(&self) -> Vec<&str> {
        codes(&self.json["discrepancies"])
    }

    /// What must hold of every answer, whatever was asked (I8).
    #[track_caller]
    pub(super) fn check(&self) {
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert!(!self.header("x-request-id").is_empty(), "every answer names its request");
        assert!(!self.header("content-security-policy").is_empty());
        assert_eq!(self.header("cache-control"), "no-store");
        let is_file =
            ["image/", "application/pdf"].iter().any(|kind| self.header("content-type").starts_with(kind));
        if !self.text.is_empty() && !is_file {
            assert!(self.header("content-type").ends_with("charset=utf-8"), "{:?}", self.headers);
        }
        if self.status < 400 {
            return;
        }
        assert_eq!(self.header("content-type"), "application/problem+json; charset=utf-8", "{}", self.text);
        assert_eq!(self.json["status"], self.status);
        assert!(self.json["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(self.json["type"].as_str().is_some_and(|uri| uri.starts_with("/problems/")));
        assert_eq!(self.json["instance"], format!("urn:request:{}", self.header("x-request-id")));
        assert_eq!(self.status == 422, self.json["errors"].is_array(), "{}", self.text);
        assert!(self.status != 429 && self.status != 503 || !self.header("retry-after").is_empty());
        assert_eq!(self.status == 401, !self.header("www-authenticate").is_empty());
        assert!(self.status != 405 || self.headers.contains_key("allow"));
    }
}

/// A text of JSON; empty where it is none.
#[must_use]
pub fn str(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The codes of a list of discrepancies.
#[must_use]
pub fn codes(discrepancies: &Value) -> Vec<&str> {
    let all = discrepancies.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|found| str(&found["code"])).collect()
}
