//! A form with a file (`multipart/form-data`, RFC 7578), sent piece by piece, so that the file lies in memory once.

use std::io::{Cursor, Read};

use kyc_core::Secret;
use kyc_core::domain::document_file::MediaType;

/// A form whose last field is a file.
pub(super) struct Form {
    head: Vec<u8>,
    file: Secret<Vec<u8>>,
    tail: Vec<u8>,
    boundary: String,
}

impl Form {
    /// A form of fields and a file. Names and values are ours or codes, and hold no line ends or quotes; the boundary
    /// is random enough that the file does not hold it, since it is made of a new id.
    pub(super) fn new(
        boundary: &str,
        fields: &[(&str, String)],
        name: &str,
        media_type: MediaType,
        file: Secret<Vec<u8>>,
    ) -> Self {
        let boundary = format!("form-{boundary}");
        let mut head = String::new();
        for (field, value) in fields {
            head.push_str("--");
            head.push_str(&boundary);
            head.push_str("\r\nContent-Disposition: form-data; name=\"");
            head.push_str(field);
            head.push_str("\"\r\n\r\n");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let file_head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {media_type}\r\n\r\n"
        );
        head.push_str(&file_head);
        let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
        Self { head: head.into_bytes(), file, tail, boundary }
    }

    /// The header `Content-Type`.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// The length of the whole form, in bytes.
    pub(super) fn length(&self) -> usize {
        self.head.len() + self.file.expose().len() + self.tail.len()
    }

    /// The form, from its begin to its end.
    pub(super) fn reader(&self) -> impl Read {
        Cursor::new(&self.head).chain(Cursor::new(self.file.expose())).chain(Cursor::new(&self.tail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_fields_and_then_its_file() {
        let file = Secret::new(b"\x89PNG\r\n".to_vec());
        let fields = [("type", "passport".to_owned()), ("side", "front".to_owned())];
        let form = Form::new("b", &fields, "1.png", MediaType::Png, file);
        let mut bytes = Vec::new();
        form.reader().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), form.length());
        let expected = b"--form-b\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\npassport\r\n\
            --form-b\r\nContent-Disposition: form-data; name=\"side\"\r\n\r\nfront\r\n\
            --form-b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"1.png\"\r\n\
            Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--form-b--\r\n";
        assert_eq!(bytes, expected);
        assert_eq!(form.content_type(), "multipart/form-data; boundary=form-b");
    }
}
