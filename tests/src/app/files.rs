//! Files as tests send them.

use serde_json::Value;

use super::{Call, Reply, TestApp};

/// The id of a file that nobody has.
pub const NO_DOCUMENT: &str = "01a20c14-c55a-76f9-8237-f9a66c4e333d";

/// The boundary of every form.
const BOUNDARY: &str = "a-boundary-of-the-tests";

/// A PDF of this length, or of as many bytes as it needs, in which `text` stands.
///
/// # Panics
/// Where the length is shorter than the text and what a PDF needs.
#[must_use]
pub fn pdf(text: &str, length: usize) -> Vec<u8> {
    let end = |at: usize| format!("\nxref\nstartxref\n{at:010}\n%%EOF\n").into_bytes();
    let mut bytes = format!("%PDF-1.7\n% {text}\n").into_bytes();
    let at = length.saturating_sub(end(0).len()).max(bytes.len());
    bytes.resize(at, b'z');
    bytes.extend(end(at + 1));
    bytes
}

/// A PNG of four by four pixels.
///
/// # Panics
/// Never: the text is base64.
#[must_use]
pub fn png() -> Vec<u8> {
    const BASE64: &str = "\
         iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAHElEQVR4nGNgYGRiZhAQFBJmUFBU\
         UmYwMDQyBgAJsAGZglqusgAAAABJRU5ErkJggg==";
    data_encoding::BASE64.decode(BASE64.as_bytes()).unwrap()
}

/// A form of these parts, each a name and what it holds, as its media type and its bytes. A part named `file` has a
/// file's name that must come back nowhere.
#[must_use]
pub fn form(parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in parts {
        let file_name = if *name == "file" { "; filename=\"Kanarienvogel.exe\"" } else { "" };
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

impl Call<'_> {
    /// A body of parts.
    pub fn form(self, parts: &[(&str, &[u8])]) -> Self {
        let (media_type, body) = form(parts);
        self.text(&media_type, body)
    }
}

impl TestApp {
    /// Sends a file of a customer.
    #[track_caller]
    pub fn send_file(&self, id: &str, side: &str, bytes: &[u8]) -> Reply {
        let call = self.call("POST", &format!("/customers/{id}/documents"));
        call.form(&[("side", side.as_bytes()), ("file", bytes)]).send()
    }

    /// The files of a customer, oldest first.
    #[must_use]
    #[track_caller]
    pub fn files(&self, id: &str) -> Vec<Value> {
        let all = self.get(&format!("/customers/{id}/documents")).expect(200);
        all.json["items"].as_array().cloned().unwrap_or_default()
    }
}
