//! Signatures in both directions: HMAC-SHA256 (RFC 2104, FIPS 180-4) over what is said and when.
//!
//! One header, `KYC-Signature: t=<Unix seconds>,v1=<64 hexadecimal digits>`, over these bytes, where a line
//! ends with one `\n` and the body follows as it is on the wire:
//!
//! | message | signed |
//! | --- | --- |
//! | request to the provider | `request`, `t`, method, path with query, body |
//! | its answer | `response`, `t`, status, the request's `KYC-Signature`, body |
//! | callback from the provider | `callback`, `t`, body |
//!
//! The first line keeps one kind from standing in for another. An answer covers the signature of its request,
//! so that it can't be replayed for another one; within one second two equal requests have one signature, and
//! only the age of an answer could be a lie.

use std::fmt;
use std::time::Duration;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use jiff::{SignedDuration, Timestamp};
use kyc_core::Secret;
use ring::hmac;

/// The header that bears a signature.
pub const SIGNATURE_HEADER: &str = "KYC-Signature";

/// How far the time of a request or a callback may be from the receiver's, either way: five minutes, which
/// leaves room for clocks that drift and little for a replay.
pub const WINDOW: Duration = Duration::from_mins(5);

/// What a signature covers.
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// A request to the provider.
    Request {
        /// The method, in capitals.
        method: &'a str,
        /// The path and query, as they stand in the request line.
        path: &'a str,
        /// The raw body; empty where there is none.
        body: &'a [u8],
    },
    /// The provider's answer.
    Response {
        /// The HTTP status.
        status: u16,
        /// The request's signature header, as it was sent.
        request: &'a str,
        /// The raw body; empty where there is none.
        body: &'a [u8],
    },
    /// A callback from the provider.
    Callback {
        /// The raw body.
        body: &'a [u8],
    },
}

impl Message<'_> {
    /// The bytes that are signed. They hold the body, so they are overwritten after use.
    fn canonical(self, signed_at: i64) -> Secret<Vec<u8>> {
        let (head, body) = match self {
            Self::Request { method, path, body } => {
                (format!("request\n{signed_at}\n{method}\n{path}\n"), body)
            }
            Self::Response { status, request, body } => {
                (format!("response\n{signed_at}\n{status}\n{request}\n"), body)
            }
            Self::Callback { body } => (format!("callback\n{signed_at}\n"), body),
        };
        let mut bytes = Vec::with_capacity(head.len() + body.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
        Secret::new(bytes)
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request { .. } => "Message::Request",
            Self::Response { .. } => "Message::Response",
            Self::Callback { .. } => "Message::Callback",
        })
    }
}

/// The secrets shared with a provider. The first one signs; any of them verifies, so that a secret can be
/// changed on one side after the other.
#[derive(Clone)]
pub struct SigningKeys(Vec<hmac::Key>);

impl SigningKeys {
    /// The shortest secret, in bytes: the output of SHA-256, as RFC 2104, section 3, advises.
    pub const MIN_SECRET_BYTES: usize = 32;
    /// The most secrets at once: the new one and the one that it takes over from.
    pub const MAX_SECRETS: usize = 2;

    /// Takes the secrets, the one that signs first.
    ///
    /// # Errors
    /// [`SecretsError`] where there is none, more than two, or a short one.
    pub fn new(secrets: &[Secret<Vec<u8>>]) -> Result<Self, SecretsError> {
        if !(1..=Self::MAX_SECRETS).contains(&secrets.len()) {
            return Err(SecretsError::Count);
        }
        if secrets.iter().any(|secret| secret.expose().len() < Self::MIN_SECRET_BYTES) {
            return Err(SecretsError::TooShort);
        }
        Ok(Self(secrets.iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose())).collect()))
    }

    /// The value of the header [`SIGNATURE_HEADER`] for a message of this time.
    #[must_use]
    pub fn sign(&self, signed_at: Timestamp, message: Message<'_>) -> String {
        let signed_at = signed_at.as_second();
        let canonical = message.canonical(signed_at);
        let mac = self.0.first().map(|key| hmac::sign(key, canonical.expose()));
        format!("t={signed_at},v1={}", HEXLOWER.encode(mac.as_ref().map_or(&[], AsRef::as_ref)))
    }

    /// Compares a header with the message, in constant time, and says when it was signed. The caller looks
    /// at the time: see [`within_window`].
    ///
    /// # Errors
    /// [`BadSignature`], which does not say what is wrong with it.
    pub fn verify(&self, header: &str, message: Message<'_>) -> Result<Timestamp, BadSignature> {
        let (seconds, mac) = parse(header).ok_or(BadSignature)?;
        let signed_at = Timestamp::from_second(seconds).map_err(|_| BadSignature)?;
        let canonical = message.canonical(seconds);
        let genuine = self.0.iter().any(|key| hmac::verify(key, canonical.expose(), &mac).is_ok());
        if genuine { Ok(signed_at) } else { Err(BadSignature) }
    }

    /// A keyed hash of some bytes, by which they can be compared later and not be read.
    #[cfg(feature = "sandbox")]
    pub(crate) fn fingerprint(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.first().map(|key| hmac::sign(key, bytes).as_ref().to_vec()).unwrap_or_default()
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKeys({}, redacted)", self.0.len())
    }
}

/// Exactly `t=<digits>,v1=<64 hexadecimal digits>`: what has two readings has none.
fn parse(header: &str) -> Option<(i64, Vec<u8>)> {
    let (seconds, mac) = header.strip_prefix("t=")?.split_once(",v1=")?;
    let digits = (1..=12).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    if !digits || mac.len() != 64 {
        return None;
    }
    Some((seconds.parse().ok()?, HEXLOWER_PERMISSIVE.decode(mac.as_bytes()).ok()?))
}

/// Whether a time of signing is near enough to `now`.
#[must_use]
pub fn within_window(signed_at: Timestamp, now: Timestamp) -> bool {
    SignedDuration::try_from(WINDOW).is_ok_and(|window| now.duration_since(signed_at).abs() <= window)
}

/// Why secrets were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// There is none, or there are more than [`SigningKeys::MAX_SECRETS`].
    #[error("one or two signing secrets are expected")]
    Count,
    /// One is shorter than [`SigningKeys::MIN_SECRET_BYTES`].
    #[error("a signing secret of at least 32 bytes is expected")]
    TooShort,
}

/// A signature that is missing, misshapen or not by one of the secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not right")]
pub struct BadSignature;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seeds: &[u8]) -> SigningKeys {
        let secrets: Vec<_> = seeds.iter().map(|seed| Secret::new(vec![*seed; 32])).collect();
        SigningKeys::new(&secrets).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const BODY: Message<'_> = Message::Callback { body: b"{}" };

    #[test]
    fn the_signature_is_the_documented_one() {
        // Computed apart from this code: printf 'callback\n1700000000\n{}' | openssl dgst -sha256 -mac HMAC
        // with the key of 32 bytes 0x07.
        let expected = "t=1700000000,v1=e2ecf3db3ef9f930a5e2ddbc6a430851a6ce6615a2c0aff7817de047cb3903f5";
        assert_eq!(keys(&[7]).sign(at(1_700_000_000), BODY), expected);
    }

    #[test]
    fn a_flipped_bit_anywhere_is_refused() {
        let keys = keys(&[7]);
        let header = keys.sign(at(1_700_000_000), BODY);
        assert_eq!(keys.verify(&header, BODY), Ok(at(1_700_000_000)));
        for index in 0..header.len() {
            let mut bytes = header.clone().into_bytes();
            bytes[index] ^= 1;
            assert_eq!(keys.verify(&String::from_utf8(bytes).unwrap(), BODY), Err(BadSignature), "{index}");
        }
    }

    #[test]
    fn no_part_of_a_message_can_move_into_another() {
        let keys = keys(&[7]);
        let now = at(1_700_000_000);
        let header = keys.sign(now, Message::Request { method: "GET", path: "/a", body: b"b" });
        for other in [
            Message::Request { method: "GET", path: "/a\nb", body: b"" },
            Message::Request { method: "GET", path: "/", body: b"ab" },
            Message::Request { method: "PUT", path: "/a", body: b"b" },
            Message::Callback { body: b"GET\n/a\nb" },
            Message::Response { status: 200, request: "GET\n/a", body: b"b" },
        ] {
            assert_eq!(keys.verify(&header, other), Err(BadSignature), "{other:?}");
        }
    }

    #[test]
    fn either_of_two_secrets_verifies_and_the_first_signs() {
        let (old, both, new) = (keys(&[1]), keys(&[2, 1]), keys(&[2]));
        let now = at(1_700_000_000);
        assert!(both.verify(&old.sign(now, BODY), BODY).is_ok());
        assert!(new.verify(&both.sign(now, BODY), BODY).is_ok());
        assert!(old.verify(&both.sign(now, BODY), BODY).is_err());
    }

    #[test]
    fn secrets_are_one_or_two_of_32_bytes() {
        let secret = |length| Secret::new(vec![1; length]);
        assert_eq!(SigningKeys::new(&[]).unwrap_err(), SecretsError::Count);
        assert_eq!(SigningKeys::new(&[secret(32), secret(32), secret(32)]).unwrap_err(), SecretsError::Count);
        assert_eq!(SigningKeys::new(&[secret(32), secret(31)]).unwrap_err(), SecretsError::TooShort);
        assert_eq!(format!("{:?}", keys(&[1, 2])), "SigningKeys(2, redacted)");
    }

    #[test]
    fn the_window_is_five_minutes_either_way() {
        let now = at(1_700_000_000);
        for (second, inside) in [(-300, true), (300, true), (-301, false), (301, false)] {
            assert_eq!(within_window(at(1_700_000_000 + second), now), inside, "{second}");
        }
    }
}
