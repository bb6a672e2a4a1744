//! The key under which a caller may send a request again (draft-ietf-httpapi-idempotency-key-header).

use std::fmt;

use super::fault::Invalid;

/// A caller's name for one request: 1 to 255 characters of visible ASCII. It is never kept, only its keyed
/// digest, since a caller may put anything into it.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in characters, without the quotes.
    pub const MAX_LENGTH: usize = 255;

    /// Reads the value of an `Idempotency-Key` header: a string of RFC 8941, section 3.3.3, or the same without
    /// its quotes, which most clients send. Both forms of one key are one key.
    ///
    /// # Errors
    /// `idempotency_key.invalid` where it is neither.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        const INVALID: Invalid = Invalid::new(
            "idempotency_key.invalid",
            "1 to 255 characters of visible ASCII are expected, with or without double quotes around them",
        );
        let key = match value.strip_prefix('"') {
            Some(quoted) => unquoted(quoted).ok_or(INVALID)?,
            None if value.contains(['"', ' ']) => return Err(INVALID),
            None => value.to_owned(),
        };
        let is_visible = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_visible && (1..=Self::MAX_LENGTH).contains(&key.len()) { Ok(Self(key)) } else { Err(INVALID) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(redacted)")
    }
}

/// What stands behind the opening quote, up to the closing one, which must be the last character. A backslash
/// stands before a quote or another backslash, and nowhere else.
fn unquoted(quoted: &str) -> Option<String> {
    let mut key = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => return rest.next().is_none().then_some(key),
            '\\' => key.push(rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            plain => key.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_quoted_or_bare() {
        let longest = "x".repeat(255);
        for (value, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03978e\"", "8e03978e"),
            ("\"a b\"", "a b"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r"a\b", r"a\b"),
            ("~!", "~!"),
            (&longest, &longest),
            (&format!("\"{longest}\""), &longest),
        ] {
            assert_eq!(IdempotencyKey::parse(value).unwrap().as_str(), key, "{value}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        for bad in [
            "",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "a\"b",
            "\"a\"b\"",
            "\"a\";x=1",
            r#""a\""#,
            r#""a\n""#,
            "a b",
            "a\tb",
            "ä",
            "\"ä\"",
            "a\u{7f}",
            &long,
            &format!("\"{long}\""),
        ] {
            assert_eq!(IdempotencyKey::parse(bad).unwrap_err().code, "idempotency_key.invalid", "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key = IdempotencyKey::parse("ada@example.com").unwrap();
        assert_eq!(format!("{key:?}"), "IdempotencyKey(redacted)");
    }
}
