//! The JSON of a keyring. Keys are borrowed from the text, so that reading makes no copies that stay in
//! memory; an escape within a key is thus refused, and base64 needs none.

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Key, KeyUse, Keyring, KeyringError, Keys};
use crate::cipher::key_bytes::{KEY_LENGTH, KeyBytes};

/// The format that is written, and the only one that is read.
const FORMAT: u64 = 1;
/// 32 bytes in base64 with padding.
const KEY_TEXT_LENGTH: usize = 44;
/// What those 44 characters decode to at most, which the decoder wants as room.
const DECODED_LENGTH: usize = 33;

/// Only the format, read first: another one is told apart from a mistake.
#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyringText<'a> {
    format: u64,
    #[serde(borrow)]
    master_keys: Vec<KeyText<'a>>,
    current_master: u32,
    #[serde(borrow)]
    fingerprint_keys: Vec<KeyText<'a>>,
    current_fingerprint: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText<'a> {
    version: u32,
    key: &'a str,
    created_at: Timestamp,
}

/// Reads and checks a keyring.
pub(super) fn parse(json: &str) -> Result<Keyring, KeyringError> {
    let FormatText { format } = serde_json::from_str(json).map_err(|error| malformed(&error))?;
    if format != FORMAT {
        return Err(KeyringError::UnknownFormat(format));
    }
    let text: KeyringText<'_> = serde_json::from_str(json).map_err(|error| malformed(&error))?;
    Keyring::checked(
        keys(KeyUse::Master, &text.master_keys, text.current_master)?,
        keys(KeyUse::Fingerprint, &text.fingerprint_keys, text.current_fingerprint)?,
    )
}

fn keys(of: KeyUse, texts: &[KeyText<'_>], current: u32) -> Result<Keys, KeyringError> {
    let mut keys = Vec::with_capacity(texts.len());
    for text in texts {
        let version = text.version;
        let bytes = decoded(text.key).ok_or(KeyringError::NotAKey { of, version })?;
        keys.push(Key { version, bytes, created_at: text.created_at });
    }
    Keys::checked(of, keys, current)
}

fn decoded(text: &str) -> Option<KeyBytes> {
    // The decoder panics where the room does not fit the length of the text, hence this comes first.
    if text.len() != KEY_TEXT_LENGTH {
        return None;
    }
    let mut room = Zeroizing::new([0; DECODED_LENGTH]);
    let written = BASE64.decode_mut(text.as_bytes(), room.as_mut_slice()).ok()?;
    let decoded = room.first_chunk::<KEY_LENGTH>().filter(|_| written == KEY_LENGTH)?;
    Some(KeyBytes::copied(decoded))
}

/// The place of a mistake without serde's words, which repeat what stands there.
fn malformed(error: &serde_json::Error) -> KeyringError {
    KeyringError::Malformed { line: error.line(), column: error.column() }
}

/// The keyring as JSON, in memory that is zeroed on drop.
pub(super) fn write(keyring: &Keyring) -> serde_json::Result<Zeroizing<Vec<u8>>> {
    let encoded = |keys: &Keys| -> Vec<(u32, Zeroizing<String>, Timestamp)> {
        let keys = keys.by_version.values();
        keys.map(|key| (key.version, Zeroizing::new(BASE64.encode(key.bytes.expose())), key.created_at))
            .collect()
    };
    let (masters, fingerprints) = (encoded(&keyring.masters), encoded(&keyring.fingerprints));
    let text = KeyringText {
        format: FORMAT,
        master_keys: borrowed(&masters),
        current_master: keyring.masters.current,
        fingerprint_keys: borrowed(&fingerprints),
        current_fingerprint: keyring.fingerprints.current,
    };
    // Room for all at once: a buffer that grew would leave keys behind in freed memory.
    let mut json = Zeroizing::new(Vec::with_capacity(1024 + 256 * (masters.len() + fingerprints.len())));
    serde_json::to_writer_pretty(&mut *json, &text)?;
    json.push(b'\n');
    Ok(json)
}

fn borrowed(keys: &[(u32, Zeroizing<String>, Timestamp)]) -> Vec<KeyText<'_>> {
    keys.iter()
        .map(|(version, key, created_at)| KeyText { version: *version, key, created_at: *created_at })
        .collect()
}
