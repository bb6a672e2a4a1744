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
mod held;
mod key_bytes;
mod keyring;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use kyc_core::Secret;
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::Cipher;
use kyc_core::ports::cipher::{
    CipherError, Context, DigestPurpose, Digests, Fingerprint, KeyVersions, Sealed, WrappedKey,
};
use ring::rand::{SecureRandom, SystemRandom};

use self::committed::{FORMAT, NONCE_LENGTH};
use self::held::{HeldKeys, data_key_bytes};
use self::key_bytes::KeyBytes;
#[cfg(unix)]
pub use self::keyring::PreparedKeyring;
pub use self::keyring::{Keyring, KeyringError, ListedKey};

/// The [`Cipher`] port over `ring`, with the keys of a [`Keyring`].
///
/// The keys can be exchanged while threads use them ([`RingCipher::install`]): a call takes a reference to the
/// keys of its moment, for which the lock is held some nanoseconds, and works with these to its end. Each seal
/// and open unwraps the data key anew (some microseconds), and no data key is cached.
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
/// Nonces are 96 random bits, for which NIST SP 800-38D, section 8.3, allows 2^32 messages a key: then the
/// chance that any two nonces are equal is at most 2^-32.
/// * Data key: the core counts (`DataKey::messages`) and stops at `DataKey::MAX_MESSAGES`, 2^20. The chance is
///   2^-57 then. A value of 64 MiB would still be far below the 2^39 - 256 bits that one message may have.
/// * Master key: it makes one wrap for each data key, thus for each customer, and one more in a rotation to it;
///   nothing else is sealed under it. It is to be rotated before 2^31 wraps. They are not counted one by one:
///   the number of customers under a version, which `keys list` shows, is the number of wraps but for the
///   few that were made again because somebody else was writing. 2^30 customers under one version are thus
///   the sign, and no country has as many people.
/// * Fingerprint key: HMAC-SHA256 has no bound that could be met. It is rotated when it may have leaked.
///
/// # What stays in memory
/// Our copies of keys and plaintext are zeroed when they go. What `ring` makes of a key is not, since it
/// has no way to: the expanded AES key and its hash table ([`ring::aead::LessSafeKey`]), the states inside
/// [`ring::hmac::Key`] and [`ring::hkdf::Prk`], and its temporaries on the stack. For the master keys these live as
/// long as this value, for a data key as long as one call; their memory keeps the bytes until it is
/// used again. Against a reader of the process's memory or swap there is thus no promise.
pub struct RingCipher {
    keys: RwLock<Arc<HeldKeys>>,
    random: SystemRandom,
}

impl RingCipher {
    /// Derives what each key is used for. The keyring is not needed after.
    ///
    /// # Errors
    /// [`CipherError::Unavailable`] where `ring` refuses a key, and [`CipherError::UnknownKeyVersion`]
    /// where the current key is not there; neither happens with a keyring that was loaded.
    pub fn new(keyring: &Keyring) -> Result<Self, CipherError> {
        let keys = RwLock::new(Arc::new(HeldKeys::derive(keyring)?));
        Ok(Self { keys, random: SystemRandom::new() })
    }

    /// Puts the keys of a keyring in the place of those in use, while others use them. A call that began before
    /// ends with the keys it began with.
    ///
    /// # Errors
    /// As [`RingCipher::new`]; then the keys stay as they are.
    pub fn install(&self, keyring: &Keyring) -> Result<(), CipherError> {
        let keys = Arc::new(HeldKeys::derive(keyring)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The keys of this moment. A thread that panicked can't have left them half exchanged.
    fn keys(&self) -> Arc<HeldKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn nonce(&self) -> Result<[u8; NONCE_LENGTH], CipherError> {
        let mut nonce = [0; NONCE_LENGTH];
        self.random.fill(&mut nonce).map_err(|_| CipherError::Unavailable)?;
        Ok(nonce)
    }
}

impl Cipher for RingCipher {
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        let key = KeyBytes::filled(|bytes| self.random.fill(bytes)).map_err(|_| CipherError::Unavailable)?;
        self.keys().wrap(self.nonce()?, subject, key.expose())
    }

    fn seal(&self, key: &WrappedKey, context: &Context<'_>, plaintext: &[u8]) -> Result<Sealed, CipherError> {
        let data_key = self.keys().data_key(key, context.subject)?;
        data_key.seal(self.nonce()?, &payload_associated_data(context), plaintext).map(Sealed::from_bytes)
    }

    fn open(
        &self,
        key: &WrappedKey,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError> {
        let data_key = self.keys().data_key(key, context.subject)?;
        let mut plaintext = data_key.open(&payload_associated_data(context), sealed.as_bytes())?;
        Ok(Secret::new(std::mem::take(&mut *plaintext)))
    }

    fn rewrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        let keys = self.keys();
        let data_key = keys.unwrap(key, subject)?;
        keys.wrap(self.nonce()?, subject, data_key_bytes(&data_key)?)
    }

    fn current_versions(&self) -> KeyVersions {
        self.keys().current()
    }

    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint {
        let keys = self.keys();
        let mut all = keys.fingerprints(kind, normalised);
        // There is always a current key; the version tells in any case which one it would have been.
        let none = Fingerprint { kind, key_version: keys.current().fingerprint, digest: [0; 32] };
        all.next().unwrap_or(none)
    }

    fn fingerprints(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Vec<Fingerprint> {
        self.keys().fingerprints(kind, normalised).collect()
    }

    fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        self.keys().digests(purpose, parts)
    }
}

impl fmt::Debug for RingCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        f.debug_struct("RingCipher")
            .field("master_versions", &keys.master_versions())
            .field("current_master", &keys.current().master)
            .field("fingerprint_versions", &keys.fingerprint_versions())
            .field("current_fingerprint", &keys.current().fingerprint)
            .finish_non_exhaustive()
    }
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
