//! The keys of a keyring, each derived to what it is used for.

use std::collections::BTreeMap;

use kyc_core::Secret;
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::cipher::{CipherError, DigestPurpose, Digests, Fingerprint, KeyVersions, WrappedKey};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::committed::{CommittedKey, FORMAT, NONCE_LENGTH};
use super::key_bytes::KEY_LENGTH;
use super::{Keyring, joined, length};

/// The salt of every derivation. RFC 5869, section 3.1, allows a public one; it sets our keys apart from
/// those that another program might derive from the same bytes.
const SALT: &[u8] = b"kyc key derivation v1";

/// The first part of what a fingerprint hashes, so that the key's other uses, if ever, can't collide.
const FINGERPRINT_LABEL: &[u8] = b"kyc fingerprint v1";
/// The first part of what any other keyed digest hashes.
const DIGEST_LABEL: &[u8] = b"kyc digest v1";

/// What a keyring comes to. It never changes: other keys are another value, and a call works with one of them
/// from its beginning to its end.
pub(super) struct HeldKeys {
    masters: BTreeMap<u32, CommittedKey>,
    fingerprints: BTreeMap<u32, hmac::Key>,
    current: KeyVersions,
    salt: hkdf::Salt,
}

impl HeldKeys {
    /// Derives the keys of a keyring.
    pub(super) fn derive(keyring: &Keyring) -> Result<Self, CipherError> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let masters = keyring
            .master_keys()
            .map(|(version, key)| Ok((version, CommittedKey::derive(&salt, key)?)))
            .collect::<Result<BTreeMap<_, _>, CipherError>>()?;
        let fingerprints: BTreeMap<_, _> = keyring
            .fingerprint_keys()
            .map(|(version, key)| (version, hmac::Key::new(hmac::HMAC_SHA256, key)))
            .collect();
        let current =
            KeyVersions { master: keyring.current_master(), fingerprint: keyring.current_fingerprint() };
        if !masters.contains_key(&current.master) {
            return Err(CipherError::UnknownKeyVersion(current.master));
        }
        if !fingerprints.contains_key(&current.fingerprint) {
            return Err(CipherError::UnknownKeyVersion(current.fingerprint));
        }
        Ok(Self { masters, fingerprints, current, salt })
    }

    pub(super) const fn current(&self) -> KeyVersions {
        self.current
    }

    pub(super) fn master_versions(&self) -> Vec<u32> {
        self.masters.keys().copied().collect()
    }

    pub(super) fn fingerprint_versions(&self) -> Vec<u32> {
        self.fingerprints.keys().copied().collect()
    }

    pub(super) fn master(&self, version: u32) -> Result<&CommittedKey, CipherError> {
        self.masters.get(&version).ok_or(CipherError::UnknownKeyVersion(version))
    }

    /// Wraps a data key under the current master key. The nonce must be new.
    pub(super) fn wrap(
        &self,
        nonce: [u8; NONCE_LENGTH],
        subject: SubjectId,
        data_key: &[u8; KEY_LENGTH],
    ) -> Result<WrappedKey, CipherError> {
        let master_version = self.current.master;
        let associated_data = wrap_associated_data(subject, master_version);
        let bytes = self.master(master_version)?.seal(nonce, &associated_data, data_key)?;
        Ok(WrappedKey { master_version, bytes })
    }

    /// The bytes of a data key, if the wrapped one is this subject's.
    pub(super) fn unwrap(
        &self,
        key: &WrappedKey,
        subject: SubjectId,
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let master = self.master(key.master_version)?;
        master.open(&wrap_associated_data(subject, key.master_version), &key.bytes)
    }

    /// A data key, derived and ready to use.
    pub(super) fn data_key(&self, key: &WrappedKey, subject: SubjectId) -> Result<CommittedKey, CipherError> {
        CommittedKey::derive(&self.salt, data_key_bytes(&self.unwrap(key, subject)?)?)
    }

    /// Something made with each fingerprint key, and its version: with the current one first, then with the
    /// others, newest first.
    fn with_each<T>(&self, make: impl Fn(u32, &hmac::Key) -> T) -> impl Iterator<Item = T> {
        let current = self.current.fingerprint;
        let others = self.fingerprints.iter().rev().filter(move |(version, _)| **version != current);
        // That the current one is there was looked at when this was made.
        self.fingerprints
            .get_key_value(&current)
            .into_iter()
            .chain(others)
            .map(move |(version, key)| make(*version, key))
    }

    /// The fingerprints under every key, the current one first.
    pub(super) fn fingerprints(
        &self,
        kind: FingerprintKind,
        normalised: &Secret<String>,
    ) -> impl Iterator<Item = Fingerprint> {
        self.with_each(move |key_version, key| {
            let parts = [FINGERPRINT_LABEL, kind.as_str().as_bytes(), normalised.expose().as_bytes()];
            Fingerprint { kind, key_version, digest: keyed_digest(key, parts) }
        })
    }

    /// The digests of a list of parts under every key, the current one first.
    pub(super) fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        let mut all = self.with_each(|_, key| {
            let labels = [DIGEST_LABEL, purpose.as_str().as_bytes()];
            keyed_digest(key, labels.into_iter().chain(parts.iter().copied()))
        });
        Digests { current: all.next().unwrap_or_default(), others: all.collect() }
    }
}

/// The bytes of a data key that was unwrapped.
pub(super) fn data_key_bytes(unwrapped: &[u8]) -> Result<&[u8; KEY_LENGTH], CipherError> {
    unwrapped.try_into().map_err(|_| CipherError::Unreadable)
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

pub(super) fn wrap_associated_data(subject: SubjectId, master_version: u32) -> Vec<u8> {
    joined(&[&[FORMAT], b"data_key", &subject.to_bytes(), &master_version.to_be_bytes()])
}
