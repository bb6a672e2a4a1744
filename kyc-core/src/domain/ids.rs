//! Identifiers. What we make is a UUID of version 7 (RFC 9562): time first, so that new rows lie
//! together in an index, and random after it, so that nobody guesses another.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::fault::Invalid;

/// The caller's own id of a customer: 1 to 64 of `A-Za-z0-9._-`, beginning with a letter or digit.
///
/// It should hold no personal data. `search` is refused, since it is a word of the paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(String);

impl CustomerId {
    /// The longest id, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Reads an id.
    ///
    /// # Errors
    /// `customer_id.invalid` where the form is another, `customer_id.reserved` for `search`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = text.len() <= Self::MAX_LENGTH
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if !well_formed {
            return Err(Invalid::new(
                "customer_id.invalid",
                "1 to 64 of A-Z a-z 0-9 . _ - are expected, beginning with a letter or a digit",
            ));
        }
        if text == "search" {
            return Err(Invalid::new("customer_id.reserved", "this word can't be an id; choose another"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an identity provider: 1 to 32 of `a-z0-9_-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(String);

impl ProviderName {
    /// Reads a name.
    ///
    /// # Errors
    /// `provider.invalid` where the form is another.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let well_formed = (1..=32).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("provider.invalid", "1 to 32 of a-z 0-9 _ - are expected"))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id of the time and ten random bytes. Ids sort by their time to a quarter of a
            /// microsecond: the fraction of the millisecond stands in the twelve bits behind it (RFC 9562,
            /// section 6.2, method 3).
            #[must_use]
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(from_ticks(ticks(at), random))
            }

            /// A new id that sorts after `previous`, also where the clock stood still or went back.
            #[must_use]
            pub fn after(previous: Self, at: Timestamp, random: [u8; 10]) -> Self {
                Self(from_ticks(ticks(at).max(ticks_of(previous.0) + 1), random))
            }

            /// The sixteen bytes, as a store keeps them.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// An id from the sixteen bytes that a store kept.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Reads the hyphenated text.
            ///
            /// # Errors
            /// `id.invalid` where it is not a UUID.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid::new("id.invalid", "a UUID is expected"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

/// A time in 4096ths of a millisecond since 1970, as an id of version 7 begins with.
fn ticks(at: Timestamp) -> u64 {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    let nanos = u64::try_from(at.subsec_nanosecond() % 1_000_000).unwrap_or(0);
    (millis << 12) + nanos * 4096 / 1_000_000
}

fn ticks_of(id: Uuid) -> u64 {
    let (time, _) = id.as_u64_pair();
    // Between the millisecond and its fraction stand the four bits of the version.
    ((time >> 16) << 12) | (time & 0xfff)
}

fn from_ticks(ticks: u64, mut random: [u8; 10]) -> Uuid {
    let [.., high, low] = (ticks & 0xfff).to_be_bytes();
    [random[0], random[1]] = [high, low];
    uuid::Builder::from_unix_timestamp_millis(ticks >> 12, &random).into_uuid()
}

uuid_id! {
    /// Our own id of a person: rows, events and associated data carry it. The caller's [`CustomerId`] is
    /// one row beside it, so that erasing that row leaves nothing that names the person.
    SubjectId
}

uuid_id! {
    /// The id of one verification, which is also the idempotency key at the provider.
    VerificationId
}

uuid_id! {
    /// The id of one file that shows a document or the person.
    DocumentId
}

uuid_id! {
    /// The id of one API key.
    ApiKeyId
}

uuid_id! {
    /// The id of one changeset: the events of a commit share it.
    ChangesetId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customer_ids_are_what_the_contract_says() {
        for good in ["a", "cus-1001", "0", "A.b_c-9", &"x".repeat(64)] {
            assert!(CustomerId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "_a", "a/b", "a b", "ä", "a\n", "../x", "%2e", &"x".repeat(65)] {
            assert_eq!(CustomerId::parse(bad).unwrap_err().code, "customer_id.invalid", "{bad}");
        }
        assert_eq!(CustomerId::parse("search").unwrap_err().code, "customer_id.reserved");
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made_at() {
        let early = SubjectId::new(Timestamp::from_second(1).unwrap(), [255; 10]);
        let late = SubjectId::new(Timestamp::from_second(2).unwrap(), [0; 10]);
        assert!(early < late);
        assert_eq!(SubjectId::from_bytes(early.to_bytes()), early);
        assert_eq!(SubjectId::parse(&early.to_string()).unwrap(), early);
        let at = |nanosecond| Timestamp::new(1, nanosecond).unwrap();
        let within = [0, 250, 1_000, 999_999].map(|nanosecond| SubjectId::new(at(nanosecond), [255; 10]));
        assert!(within.is_sorted() && within[0] != within[1]);
    }

    #[test]
    fn an_id_after_another_sorts_after_it_whatever_the_clock_says() {
        let mut last = SubjectId::new(Timestamp::new(1, 999_999_900).unwrap(), [255; 10]);
        for second in [1, 0, 2, 1].into_iter().cycle().take(10_000) {
            let next = SubjectId::after(last, Timestamp::from_second(second).unwrap(), [0; 10]);
            assert!(next > last);
            last = next;
        }
    }
}
