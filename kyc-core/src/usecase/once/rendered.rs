//! An answer as it went over the wire, and as bytes, for sealing.

use std::fmt;

use crate::Secret;
use crate::domain::field::Field;

/// The version of the form that [`Rendered::encode`] writes.
const FORMAT: u8 = 1;

/// An answer: its status, the headers that are its own, and its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// Names and values of headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Secret<Vec<u8>>,
}

impl Rendered {
    /// The answer as bytes, with the fields of a person that it shows.
    pub(super) fn encode(&self, shown: &[Field]) -> Secret<Vec<u8>> {
        let shown = shown.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(" ");
        let status = self.status.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&status, shown.as_bytes(), self.body.expose()];
        for (name, value) in &self.headers {
            parts.extend([name.as_bytes(), value.as_bytes()]);
        }
        // As large as it will be: a vector that grows leaves a copy of its bytes behind.
        let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len() + 4).sum::<usize>());
        bytes.push(FORMAT);
        for part in parts {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Secret::new(bytes)
    }

    /// Reads what [`Rendered::encode`] wrote; none where it is something else.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Self, Vec<Field>)> {
        let (&[FORMAT], mut rest) = bytes.split_first_chunk::<1>()? else { return None };
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, behind) = behind.split_at_checked(length)?;
            parts.push(part);
            rest = behind;
        }
        let [status, shown, body, headers @ ..] = parts.as_slice() else { return None };
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        let (headers, odd) = headers.as_chunks::<2>();
        let headers = headers.iter().map(|[name, value]| Some((text(name)?, text(value)?)));
        let rendered = Self {
            status: u16::from_be_bytes((*status).try_into().ok()?),
            headers: headers.collect::<Option<_>>()?,
            body: Secret::new(body.to_vec()),
        };
        let shown =
            text(shown)?.split_ascii_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
        odd.is_empty().then_some((rendered, shown))
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rendered({})", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Rendered {
        let headers = [("ETag", "\"1\""), ("Location", "/customers/a"), ("X-Empty", "")];
        Rendered {
            status: 201,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: Secret::new(b"{\"name\":\"Ada Lovelace\"}".to_vec()),
        }
    }

    #[test]
    fn an_answer_is_read_back_as_it_was_written() {
        let bare = Rendered { status: 204, headers: Vec::new(), body: Secret::default() };
        for rendered in [sample(), bare] {
            for shown in [vec![], vec![Field::Name, Field::DocumentNumber]] {
                let bytes = rendered.encode(&shown);
                assert_eq!(Rendered::decode(bytes.expose()), Some((rendered.clone(), shown)));
            }
        }
    }

    #[test]
    fn what_is_cut_or_of_another_form_is_nothing() {
        let bytes = sample().encode(&[Field::Name]).expose().clone();
        for length in 0..bytes.len() {
            let read = Rendered::decode(&bytes[..length]);
            // Whole headers that are missing can't be seen here; a sealed answer is whole or does not open.
            assert!(read.is_none_or(|(rendered, _)| rendered.headers.len() < 3), "{length}");
        }
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(Rendered::decode(&later), None);
    }
}
