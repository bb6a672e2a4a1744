//! The signature of a callback: `Persona-Signature: t=<Unix seconds>,v1=<hexadecimal>` over `t`, a full stop and the
//! raw body, HMAC-SHA256 under the secret of the webhook. While a secret is rotated the header holds two such pairs
//! with a space between them, a secret each.

use std::time::Duration;

use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use kyc_core::Secret;
use kyc_core::ports::provider::{Callback, CallbackError};

use super::super::vendor::CallbackKeys;

/// The header of the signature.
const HEADER: &str = "Persona-Signature";
/// How far the time of a callback may be from ours, either way: room for clocks that drift, and little for a replay.
/// A callback that the vendor repeats is signed anew.
const WINDOW: Duration = Duration::from_mins(5);
/// The most pairs that are looked at: as many as there can be while a secret is rotated.
const MAX_PAIRS: usize = 2;

/// One pair of the header.
struct Pair<'a> {
    /// The time as it stands in the header, which is what was signed.
    t: &'a str,
    signed_at: Timestamp,
    mac: Vec<u8>,
}

/// Compares the signature with the raw body, in constant time, and looks at its age.
///
/// # Errors
/// [`CallbackError::Unsupported`] without a secret, [`CallbackError::BadSignature`], and
/// [`CallbackError::OutsideWindow`] where the signature is right.
pub(super) fn verify(keys: &CallbackKeys, callback: &Callback) -> Result<(), CallbackError> {
    let header = keys.header(callback, HEADER)?;
    let pairs = parse(header).ok_or(CallbackError::BadSignature)?;
    let body = callback.body.expose();
    let genuine = pairs.iter().find(|pair| {
        let mut signed = Vec::with_capacity(pair.t.len() + 1 + body.len());
        signed.extend_from_slice(pair.t.as_bytes());
        signed.push(b'.');
        signed.extend_from_slice(body);
        let signed = Secret::new(signed);
        keys.have_signed(signed.expose(), &pair.mac)
    });
    let signed_at = genuine.ok_or(CallbackError::BadSignature)?.signed_at;
    let age = callback.received_at.duration_since(signed_at).abs();
    let window = SignedDuration::try_from(WINDOW).unwrap_or(SignedDuration::ZERO);
    if age <= window { Ok(()) } else { Err(CallbackError::OutsideWindow) }
}

/// One or two pairs, each exactly `t=<digits>,v1=<64 hexadecimal digits>`: what has two readings has none.
fn parse(header: &str) -> Option<Vec<Pair<'_>>> {
    let pairs: Vec<_> = header.split(' ').take(MAX_PAIRS + 1).map(pair).collect::<Option<_>>()?;
    (pairs.len() <= MAX_PAIRS).then_some(pairs)
}

fn pair(text: &str) -> Option<Pair<'_>> {
    let (t, mac) = text.strip_prefix("t=")?.split_once(",v1=")?;
    if !(1..=11).contains(&t.len()) || !t.bytes().all(|b| b.is_ascii_digit()) || mac.len() != 64 {
        return None;
    }
    let signed_at = Timestamp::from_second(t.parse().ok()?).ok()?;
    Some(Pair { t, signed_at, mac: HEXLOWER.decode(mac.as_bytes()).ok()? })
}
