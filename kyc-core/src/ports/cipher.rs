//! Sealing personal data, and fingerprints to find it by.

use std::fmt;

use crate::Secret;
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::SubjectId;
use crate::domain::key_use::KeyUse;

/// Seals and opens personal data under a data key a customer, and makes keyed fingerprints.
///
/// A data key exists in the clear only inside the adapter; the core and the store handle it wrapped.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[expect(clippy::elidable_lifetime_names, reason = "mockall reads no elided lifetime")]
pub trait Cipher: Send + Sync {
    /// Makes a new random data key for a subject and wraps it under the current master key.
    ///
    /// The wrap MUST be bound to the subject: unwrapping it for another one fails.
    ///
    /// # Errors
    /// [`CipherError::Unavailable`] where no key could be made.
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError>;

    /// Seals `plaintext` so that it opens only with the same key in the same context.
    ///
    /// Two seals of one plaintext MUST differ. The caller counts the messages of a key
    /// ([`DataKey::MAX_MESSAGES`]).
    ///
    /// # Errors
    /// [`CipherError::UnknownKeyVersion`] where the key's master key is not there,
    /// [`CipherError::Unreadable`] where the wrapped key does not open for the context's subject,
    /// [`CipherError::Unavailable`] where sealing failed.
    fn seal<'a>(
        &self,
        key: &WrappedKey,
        context: &Context<'a>,
        plaintext: &[u8],
    ) -> Result<Sealed, CipherError>;

    /// Opens what [`Cipher::seal`] sealed.
    ///
    /// It MUST be [`CipherError::Unreadable`] where any bit of the sealed value, the wrapped key or the
    /// context differs, and it MUST NOT panic on any bytes.
    ///
    /// # Errors
    /// As [`Cipher::seal`].
    fn open<'a>(
        &self,
        key: &WrappedKey,
        context: &Context<'a>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError>;

    /// Wraps a data key again, under the current master key. The data key MUST stay the same one, so that
    /// what it sealed still opens, and the new wrap MUST be bound to the subject as the old one was.
    ///
    /// # Errors
    /// As [`Cipher::seal`].
    fn rewrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<WrappedKey, CipherError>;

    /// The versions under which new data keys are wrapped and new fingerprints made. Keys may be rotated
    /// while the cipher is used, so that two calls may give different ones.
    fn current_versions(&self) -> KeyVersions;

    /// The keyed fingerprint of a normalised value under the current fingerprint key, to be stored: equal
    /// values of one kind have equal fingerprints, and without the key nothing can be learned from one. Equal
    /// values of two kinds MUST differ.
    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint;

    /// The fingerprints of a value under every fingerprint key that is held, to look it up while keys are
    /// rotated: the current one MUST come first, the others behind it, newest first.
    fn fingerprints(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Vec<Fingerprint>;

    /// Keyed digests of a list of parts, to know something again that must not be kept itself: one of each
    /// version of the fingerprint key that is known, so that it is known again while keys are rotated.
    ///
    /// Equal lists have equal digests for one purpose; other lists (also the same bytes, cut elsewhere) and other
    /// purposes MUST NOT, and none is a fingerprint. Without the key nothing can be learned from one.
    #[expect(clippy::needless_lifetimes, reason = "mockall reads no elided lifetime")]
    fn digests<'a>(&self, purpose: DigestPurpose, parts: &[&'a [u8]]) -> Digests;
}

/// The versions of the keys in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyVersions {
    /// That of the master key.
    pub master: u32,
    /// That of the fingerprint key.
    pub fingerprint: u32,
}

impl KeyVersions {
    /// The version in use of one of the two.
    #[must_use]
    pub const fn of(self, key: KeyUse) -> u32 {
        match key {
            KeyUse::Master => self.master,
            KeyUse::Fingerprint => self.fingerprint,
        }
    }
}

/// What a keyed digest is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestPurpose {
    /// To find a request that was made under an idempotency key.
    IdempotencyKey,
    /// To tell whether it is the same request.
    IdempotencyBody,
    /// To understand of which verification a provider's callback speaks.
    ProviderReference,
    /// To tell whether a provider's callback was received before.
    CallbackEvent,
}

impl DigestPurpose {
    /// The purpose in one word, which is part of what is hashed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdempotencyKey => "idempotency_key",
            Self::IdempotencyBody => "idempotency_body",
            Self::ProviderReference => "provider_reference",
            Self::CallbackEvent => "callback_event",
        }
    }
}

/// The keyed digests of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// By the current version of the key.
    pub current: [u8; 32],
    /// By each other version that is known.
    pub others: Vec<[u8; 32]>,
}

impl Digests {
    /// Every digest, the current one first.
    pub fn all(&self) -> impl Iterator<Item = [u8; 32]> + '_ {
        std::iter::once(self.current).chain(self.others.iter().copied())
    }
}

/// Where a sealed value belongs: the associated data of its encryption, so that rows can't be swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// Whose it is.
    pub subject: SubjectId,
    /// The kind of row, such as `customer_version`.
    pub table: &'static str,
    /// The field within the row, such as `data`.
    pub field: &'static str,
    /// Which row: a version number or an id.
    pub row: &'a [u8],
}

impl Context<'_> {
    /// The context as unambiguous bytes: each part behind its length (four bytes, big-endian).
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let subject = self.subject.to_bytes();
        let mut bytes = Vec::with_capacity(80);
        for part in [&subject[..], self.table.as_bytes(), self.field.as_bytes(), self.row] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

/// A ciphertext: the only form in which personal data reaches a store.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Wraps the bytes that a cipher made, or that a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A data key, encrypted under a master key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which version of the master key wraps it.
    pub master_version: u32,
    /// The wrapped bytes, in the adapter's format.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey(master version {})", self.master_version)
    }
}

/// A customer's data key with the number of messages that it has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKey {
    /// The key, wrapped.
    pub wrapped: WrappedKey,
    /// How many messages it has sealed.
    pub messages: u32,
}

impl DataKey {
    /// The most messages that one data key may seal. With random 96-bit nonces NIST SP 800-38D (section
    /// 8.3) allows 2^32; this stays far inside.
    pub const MAX_MESSAGES: u32 = 1 << 20;
}

/// A keyed hash of a normalised value, to find it by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    /// What kind of value it is of.
    pub kind: FingerprintKind,
    /// Which version of the fingerprint key made it.
    pub key_version: u32,
    /// HMAC-SHA256, or what the adapter has in its place.
    pub digest: [u8; 32],
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}, key version {})", self.kind, self.key_version)
    }
}

/// Why sealing or opening failed. It says nothing of the data or the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// The value, its key or its place was altered: it does not open.
    #[error("a sealed value does not open: it, its key or its place was altered")]
    Unreadable,
    /// The keyring does not hold the master key of this version.
    #[error("the keyring holds no master key of version {0}")]
    UnknownKeyVersion(u32),
    /// The data key has sealed [`DataKey::MAX_MESSAGES`] messages.
    #[error("the customer's data key has sealed as many messages as one key may")]
    Exhausted,
    /// The cipher can't work now.
    #[error("the cipher is unavailable")]
    Unavailable,
}
