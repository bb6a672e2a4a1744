//! Strict JSON (RFC 8259): no name twice in an object, a bounded depth, UTF-8, nothing after the value.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use kyc_core::Secret;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 32;

/// A JSON value. Its texts are overwritten when it goes.
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, where it is a whole one that fits.
    Integer(i64),
    /// Any other number.
    Number,
    /// A string.
    Text(Secret<String>),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

/// Why a text is not strict JSON: a position and a reason, and nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (line {line}, column {column})")]
pub struct Malformed {
    /// What is wrong.
    pub reason: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column, in bytes.
    pub column: usize,
}

impl Json {
    /// Reads one value.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are not strict JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let reason = Cell::new(None);
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let parsed = Reading { depth: 0, reason: &reason }
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        parsed.map_err(|error| Malformed {
            reason: reason.get().unwrap_or("this is not JSON"),
            line: error.line(),
            column: error.column(),
        })
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json(redacted)")
    }
}

/// Reads one value; `reason` tells why it could not, since the text of an error may repeat the input.
#[derive(Clone, Copy)]
struct Reading<'r> {
    depth: usize,
    reason: &'r Cell<Option<&'static str>>,
}

impl Reading<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse("values are nested more than 32 deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, reason: &'static str) -> E {
        self.reason.set(Some(reason));
        E::custom(reason)
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Number, Json::Integer))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(Secret::new(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(Secret::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.refuse("a name stands twice in one object"));
            }
            object.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &[u8]) -> &'static str {
        Json::parse(text).unwrap_err().reason
    }

    #[test]
    fn a_name_twice_in_an_object_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":null,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(reason(text.as_bytes()), "a name stands twice in one object", "{text}");
        }
        assert!(Json::parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(reason(nested(MAX_DEPTH + 1).as_bytes()), "values are nested more than 32 deep");
        assert_eq!(reason("[".repeat(100_000).as_bytes()), "values are nested more than 32 deep");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let bad: &[&[u8]] = &[
            b"",
            b" ",
            b"{",
            b"{}x",
            b"{} {}",
            b"NaN",
            b"[Infinity]",
            b"[01]",
            b"[1e999]",
            b"{'a':1}",
            b"[1,]",
            b"\"\xff\"",
            b"{\"\xc3\":1}",
            b"\"\\ud800\"",
            b"\"\n\"",
            b"\xef\xbb\xbf{}",
            b"/**/{}",
        ];
        for bytes in bad {
            assert_eq!(reason(bytes), "this is not JSON", "{bytes:?}");
        }
    }

    #[test]
    fn the_error_shows_where_and_nothing_of_the_text() {
        let error = Json::parse(b"{\"name\":\n \"Ada\" \"Lovelace\"}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 8));
        assert!(!format!("{error} {error:?}").contains("Ada"));
    }
}
