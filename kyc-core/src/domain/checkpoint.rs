//! Signed checkpoints of the audit chain, to be kept outside of the database. The chain alone shows an edit, a
//! removal and a move, but neither that its end was cut off nor that the whole of it was written anew; a
//! checkpoint says what the chain was when it was signed.
//!
//! The form is that of a transparency log's checkpoint (<https://c2sp.org/tlog-checkpoint>), which is a signed
//! note (<https://c2sp.org/signed-note>), with one Ed25519 signature (RFC 8032):
//!
//! ```text
//! kyc-audit/56475aa75463474c                      the origin, and the name of the key
//! 3                                               how many events there are
//! isp39sWT4dj1VYc2IXjIY5q9gT/PbGPEfylNDBBuGe0=    the hash of the last one
//! time 2026-01-31T12:00:00Z                       when it was signed, an extension line
//!
//! — kyc-audit/56475aa75463474c ERZVvNebx85z...    base64 of the key's id and the signature of the lines above
//! ```
//!
//! **The head is a chain hash and not a Merkle root.** Tools for signed notes verify the signature, and any
//! tool can compare sizes; those that ask a log for inclusion or consistency proofs (RFC 6962) get none here:
//! that one checkpoint continues another is shown by walking the events between them, as [`SignedWalk`] does.

mod signed_walk;

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use self::signed_walk::SignedWalk;
use super::audit::AuditHash;

/// The type of an Ed25519 signature in a key's id and in its text (signed-note, "Signature types").
const ED25519: u8 = 1;

/// What the extension line with the time begins with.
const TIME: &str = "time ";

/// What a line with a signature begins with: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// Tells whether a signature is that of a message under a public key, as Ed25519 has it (RFC 8032, section
/// 5.1.7). The core has no cryptography of its own but hashes, so an adapter gives it.
pub type VerifySignature = fn(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool;

/// The public key that verifies a log's checkpoints, with the name of the log.
///
/// Its text is the usual one for notes (<https://pkg.go.dev/golang.org/x/mod/sumdb/note>): the name, the key's
/// id in hex, and the base64 of the signature's type and the key, with `+` between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

/// A text is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a public key such as kyc-audit/0123456789abcdef+01234567+Af… is expected, as `audit public-key` prints"
)]
pub struct NotAVerifierKey;

impl VerifierKey {
    /// The key of an audit log. The name comes of the key, so that two logs never share one.
    #[must_use]
    pub fn of_audit_log(public: [u8; 32]) -> Self {
        let digest = Sha256::digest(public);
        let (short, _) = digest.split_at(8);
        Self { name: format!("kyc-audit/{}", HEXLOWER.encode(short)), public }
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    /// [`NotAVerifierKey`] where the form is another, or the id is not that of the name and the key.
    pub fn parse(text: &str) -> Result<Self, NotAVerifierKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAVerifierKey);
        };
        let key = BASE64.decode(key.as_bytes()).map_err(|_| NotAVerifierKey)?;
        let [ED25519, public @ ..] = key.as_slice() else { return Err(NotAVerifierKey) };
        let public = public.try_into().map_err(|_| NotAVerifierKey)?;
        let found = Self { name: name.to_owned(), public };
        let is_right = is_key_name(name) && id == HEXLOWER.encode(&found.id());
        if is_right { Ok(found) } else { Err(NotAVerifierKey) }
    }

    /// The name of the key, which is the origin of the checkpoints too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key (signed-note, "Ed25519 signatures"): it tells keys apart, and proves nothing.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let mut hash = Sha256::new();
        hash.update(self.name.as_bytes());
        hash.update([b'\n', ED25519]);
        hash.update(self.public);
        let digest: [u8; 32] = hash.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.public);
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

/// Key names are not empty, and have neither spaces nor `+` (signed-note, "Format").
fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// What an audit chain was at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many events there were, which is the sequence of the last one; 0 for none.
    pub size: u64,
    /// The hash of the last event; [`AuditHash::ORIGIN`] for none.
    pub head: AuditHash,
    /// When it was signed.
    pub at: Timestamp,
}

/// Why a note is not a checkpoint of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// It has another form.
    #[error("it is not a signed checkpoint")]
    Malformed,
    /// No signature is by the log's key.
    #[error("it is not signed by the key of this log")]
    OtherKey,
    /// A signature under the log's key is wrong.
    #[error("its signature is wrong: it was changed after it was signed, or forged")]
    BadSignature,
    /// The log's key signed something else.
    #[error("what the key signed is not a checkpoint of this log")]
    OtherLog,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self, key: &VerifierKey) -> String {
        let Self { size, head, at } = self;
        format!("{}\n{size}\n{}\n{TIME}{at}\n", key.name, BASE64.encode(&head.to_bytes()))
    }

    /// The note: the text and its signature.
    #[must_use]
    pub fn note(&self, key: &VerifierKey, signature: &[u8; 64]) -> String {
        let signed = [&key.id()[..], signature].concat();
        format!("{}\n{SIGNATURE}{} {}\n", self.text(key), key.name, BASE64.encode(&signed))
    }

    /// The checkpoint of a note that `key` has signed. Signatures of other keys, as of a witness, are passed
    /// over; the text is read only after the signature was found right.
    ///
    /// # Errors
    /// [`NoteFault`] says what is wrong with the note.
    pub fn open(note: &str, key: &VerifierKey, verify: VerifySignature) -> Result<Self, NoteFault> {
        let (text, signatures) = split(note).ok_or(NoteFault::Malformed)?;
        let mut is_ours = false;
        for line in signatures.split_terminator('\n') {
            let (name, signed) = signature(line).ok_or(NoteFault::Malformed)?;
            let Some((id, signature)) = signed.split_first_chunk::<4>() else {
                return Err(NoteFault::Malformed);
            };
            if name == key.name && *id == key.id() {
                if !verify(&key.public, text.as_bytes(), signature) {
                    return Err(NoteFault::BadSignature);
                }
                is_ours = true;
            }
        }
        if is_ours { Self::parse(text, key).ok_or(NoteFault::OtherLog) } else { Err(NoteFault::OtherKey) }
    }

    fn parse(text: &str, key: &VerifierKey) -> Option<Self> {
        let mut lines = text.split_terminator('\n');
        let (origin, size, head, time) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let found = Self {
            size: size.parse().ok()?,
            head: AuditHash::from_bytes(BASE64.decode(head.as_bytes()).ok()?.try_into().ok()?),
            at: time.strip_prefix(TIME)?.parse().ok()?,
        };
        // One text a checkpoint: a size has no leading zeros, for one.
        (origin == key.name && found.text(key) == text).then_some(found)
    }
}

/// A note's text with its last line feed, and the lines of the signatures.
fn split(note: &str) -> Option<(&str, &str)> {
    let is_clean = note.ends_with('\n') && !note.chars().any(|c| c < ' ' && c != '\n');
    let (text, signatures) = note.rsplit_once("\n\n").filter(|_| is_clean)?;
    let text = note.get(..=text.len())?;
    (!signatures.is_empty()).then_some((text, signatures))
}

/// The name of the key, and the bytes behind it.
fn signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signed) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let signed = BASE64.decode(signed.as_bytes()).ok()?;
    is_key_name(name).then_some((name, signed))
}

#[cfg(test)]
mod tests;
