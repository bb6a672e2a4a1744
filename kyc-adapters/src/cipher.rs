//! The cipher: personal data sealed under a data key a customer, data keys wrapped by master keys, and
//! keyed fingerprints, all with `ring`.
//!
//! ```text
//! keyring.json    master key v1, v2, …                 fingerprint key v1, …
//!                      | wraps                              | HMAC-SHA256
//! the store       wrapped data key of a customer       fingerprint of an e-mail, a number, …
//!                      | seals
//! the store       sealed value: customer data, progress, answers
//! ```
//!
//! Destroying a wrapped data key makes everything sealed under it unreadable, which is how a person is
//! forgotten.

mod committed;
mod key_bytes;
mod keyring;

use std::collections::BTreeMap;
use std::fmt;

use kyc_core::Secret;
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::Cipher;
use kyc_core::ports::cipher::{
    CipherError, Context, DigestPurpose, Digests, Fingerprint, Sealed, WrappedKey,
};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{hkdf, hmac};

use self::committed::{CommittedKey, FORMAT, NONCE_LENGTH};
use self::key_bytes::KeyBytes;
pub use self::keyring::{KeyUse, Keyring, KeyringError};

/// The salt of every derivation. RFC 5869, section 3.1, allows a public one; it sets our keys apart from
/// those that another program might derive from the same bytes.
const SALT: &[u8] = b"kyc key derivation v1";

/// The first part of what a fingerprint hashes, so that the key's other uses, if ever, can't collide.
const FINGERPRINT_LABEL: &[u8] = b"kyc fingerprint v1";

/// The first part of what any other keyed digest hashes.
const DIGEST_LABEL: &[u8] = b"kyc digest v1";

/// The [`Cipher`] port over `ring`, with the keys of a [`Keyring`].
///
/// It never changes once made, so that threads share it without a lock; each seal and open unwraps the
/// data key anew (some microseconds), and no data key is cached.
///
/// # What binds what
/// * The wrap of a data key has the format version, the word `data_key`, the subject and the master
///   key's version as associated data: the wrapped key of one person does not open for another.
/// * A sealed value has the format version and its [`Context`] as associated data. The master key's
///   version is left out, so that rotating the master key re-wraps data keys and touches no row.
/// * Both commit to their key: GCM does not, so that one ciphertext can be made to open under two keys
///   (Dodis and others, CRYPTO 2018). The source, `cipher/committed.rs`, says how.
///
/// # How much a key may do
/// Nonces are 96 random bits, for which NIST SP 800-38D, section 8.3, allows 2^32 messages a key.
/// * Data key: the core counts (`DataKey::messages`) and stops at `DataKey::MAX_MESSAGES`, 2^20.
/// * Master key: one wrap a data key, thus a customer. It is to be rotated before 2^31 wraps; nothing
///   here counts them, since two thousand million customers are far off, and rotation bounds it.
///
/// # What stays in memory
/// Our copies of keys and plaintext are zeroed when they go. What `ring` makes of a key is not, since it
/// has no way to: the expanded AES key and its hash table ([`ring::aead::LessSafeKey`]), the states inside
/// [`hmac::Key`] and [`hkdf::Prk`], and its temporaries on the stack. For the master keys these live as
/// long as this value, for a data key as long as one call; their memory keeps the bytes until it is
/// used again. Against a reader of the process's memory or swap there is thus no promise.
pub struct RingCipher {
    masters: BTreeMap<u32, CommittedKey>,
    current_master: u32,
    fingerprint_key: hmac::Key,
    fingerprint_version: u32,
    salt: hkdf::Salt,
    random: SystemRandom,
}

impl RingCipher {
    /// Derives what each key is used for. The keyring is not needed after.
    ///
    /// # Errors
    /// [`CipherError::Unavailable`] where `ring` refuses a key, and [`CipherError::UnknownKeyVersion`]
    /// where the current key is not there; neither happens with a keyring that was loaded.
    pub fn new(keyring: &Keyring) -> Result<Self, CipherError> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let mut masters = BTreeMap::new();
        for (version, key) in keyring.master_keys() {
            masters.insert(version, CommittedKey::derive(&salt, key)?);
        }
        let current_master = keyring.current_master();
        if !masters.contains_key(&current_master) {
            return Err(CipherError::UnknownKeyVersion(current_master));
        }
        let fingerprint_version = keyring.current_fingerprint();
        let fingerprint_key =
            keyring.fingerprint_key().ok_or(CipherError::UnknownKeyVersion(fingerprint_version))?;
        Ok(Self {
            masters,
            current_master,
            fingerprint_key: hmac::Key::new(hmac::HMAC_SHA256, fingerprint_key),
            fingerprint_version,
            salt,
            random: SystemRandom::new(),
        })
    }

    fn master(&self, version: u32) -> Result<&CommittedKey, CipherError> {
        self.masters.get(&version).ok_or(CipherError::UnknownKeyVersion(version))
    }

    fn nonce(&self) -> Result<[u8; NONCE_LENGTH], CipherError> {
        let mut nonce = [0; NONCE_LENGTH];
        self.random.fill(&mut nonce).map_err(|_| CipherError::Unavailable)?;
        Ok(nonce)
    }

    /// The data key, derived and ready to use, if the wrapped one is this subject's.
    fn unwrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<CommittedKey, CipherError> {
        let master = self.master(key.master_version)?;
        let opened = master.open(&wrap_associated_data(subject, key.master_version), &key.bytes)?;
        let bytes = opened.as_slice().try_into().map_err(|_| CipherError::Unreadable)?;
        CommittedKey::derive(&self.salt, bytes)
    }
}

impl Cipher for RingCipher {
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        let master_version = self.current_master;
        let key = KeyBytes::filled(|bytes| self.random.fill(bytes)).map_err(|_| CipherError::Unavailable)?;
        let associated_data = wrap_associated_data(subject, master_version);
        let bytes = self.master(master_version)?.seal(self.nonce()?, &associated_data, key.expose())?;
        Ok(WrappedKey { master_version, bytes })
    }

    fn seal(&self, key: &WrappedKey, context: &Context<'_>, plaintext: &[u8]) -> Result<Sealed, CipherError> {
        let data_key = self.unwrap(key, context.subject)?;
        data_key.seal(self.nonce()?, &payload_associated_data(context), plaintext).map(Sealed::from_bytes)
    }

    fn open(
        &self,
        key: &WrappedKey,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError> {
        let data_key = self.unwrap(key, context.subject)?;
        let mut plaintext = data_key.open(&payload_associated_data(context), sealed.as_bytes())?;
        Ok(Secret::new(std::mem::take(&mut *plaintext)))
    }

    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint {
        let parts = [FINGERPRINT_LABEL, kind.as_str().as_bytes(), normalised.expose().as_bytes()];
        let digest = keyed_digest(&self.fingerprint_key, parts);
        Fingerprint { kind, key_version: self.fingerprint_version, digest }
    }

    fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        let all = [DIGEST_LABEL, purpose.as_str().as_bytes()].into_iter().chain(parts.iter().copied());
        Digests { current: keyed_digest(&self.fingerprint_key, all), others: Vec::new() }
    }
}

/// The parts go in one by one, each behind its length: a joined copy of them would stay in memory.
fn keyed_digest<'a>(key: &hmac::Key, parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hash = hmac::Context::with_key(key);
    for part in parts {
        hash.update(&length(part));
        hash.update(part);
    }
    let mut digest = [0; 32];
    for (to, from) in digest.iter_mut().zip(hash.sign().as_ref()) {
        *to = *from;
    }
    digest
}

impl fmt::Debug for RingCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingCipher")
            .field("master_versions", &self.masters.keys().collect::<Vec<_>>())
            .field("current_master", &self.current_master)
            .field("current_fingerprint", &self.fingerprint_version)
            .finish_non_exhaustive()
    }
}

fn wrap_associated_data(subject: SubjectId, master_version: u32) -> Vec<u8> {
    joined(&[&[FORMAT], b"data_key", &subject.to_bytes(), &master_version.to_be_bytes()])
}

fn payload_associated_data(context: &Context<'_>) -> Vec<u8> {
    joined(&[&[FORMAT], b"payload", &context.to_bytes()])
}

/// The parts, each behind its length, so that no two lists of parts give the same bytes.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&length(part));
        bytes.extend_from_slice(part);
    }
    bytes
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests;
