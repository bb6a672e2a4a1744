//! A stand-in for encryption: it behaves as a cipher must, and protects nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::lock;
use crate::Secret;
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::SubjectId;
use crate::domain::key_use::KeyUse;
use crate::ports::Cipher;
use crate::ports::cipher::{
    CipherError, Context, DigestPurpose, Digests, Fingerprint, KeyVersions, Sealed, WrappedKey,
};

const ROOT_KEY: [u8; 32] = *b"a fake master key, seen by all!!";
const NONCE: usize = 8;
const TAG: usize = 32;

/// **Not encryption**: its keys are in this source file. It keeps the contract of [`Cipher`] all the same,
/// so that code which mixes up a key or a row fails in a test as it would in production: a flipped bit, a
/// foreign key and a foreign context are refused, two seals differ, and no plaintext shows.
///
/// It is reproducible: nonces and data keys come from a counter that clones share. Its keys can be rotated
/// and retired, also while clones are in use.
///
/// ```
/// use jiff::Timestamp;
/// use kyc_core::domain::ids::SubjectId;
/// use kyc_core::fakes::FakeCipher;
/// use kyc_core::ports::Cipher;
/// use kyc_core::ports::cipher::{CipherError, Context};
///
/// let cipher = FakeCipher::new();
/// let subject = SubjectId::new(Timestamp::UNIX_EPOCH, [1; 10]);
/// let key = cipher.new_data_key(subject)?;
/// let data = Context { subject, table: "customer_version", field: "data", row: &[1] };
/// let sealed = cipher.seal(&key, &data, b"Ada Lovelace")?;
/// assert_eq!(cipher.open(&key, &data, &sealed)?.expose(), b"Ada Lovelace");
///
/// let elsewhere = Context { row: &[2], ..data };
/// assert_eq!(cipher.open(&key, &elsewhere, &sealed), Err(CipherError::Unreadable));
/// # Ok::<(), CipherError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FakeCipher {
    counter: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<CipherError>>>,
    keys: Arc<Mutex<Held>>,
}

/// The versions that it holds; the newest one is the current one.
#[derive(Debug)]
struct Held {
    masters: BTreeSet<u32>,
    fingerprints: BTreeSet<u32>,
}

impl Default for Held {
    fn default() -> Self {
        Self { masters: BTreeSet::from([1]), fingerprints: BTreeSet::from([1]) }
    }
}

impl Held {
    fn of(&mut self, of: KeyUse) -> &mut BTreeSet<u32> {
        match of {
            KeyUse::Master => &mut self.masters,
            KeyUse::Fingerprint => &mut self.fingerprints,
        }
    }
}

impl FakeCipher {
    /// A cipher.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every call that can fail do so with this error, until it is told otherwise with `None`.
    pub fn fail_with(&self, failure: Option<CipherError>) {
        *lock(&self.failure) = failure;
    }

    /// Adds a version of a key, which is the current one from now on, and returns it.
    #[expect(clippy::must_use_candidate, reason = "it also rotates")]
    pub fn rotate(&self, of: KeyUse) -> u32 {
        let mut held = lock(&self.keys);
        let next = held.of(of).last().map_or(1, |version| version + 1);
        held.of(of).insert(next);
        next
    }

    /// Forgets a version of a key.
    pub fn retire(&self, of: KeyUse, version: u32) {
        lock(&self.keys).of(of).remove(&version);
    }

    fn current(&self, of: KeyUse) -> u32 {
        lock(&self.keys).of(of).last().copied().unwrap_or_default()
    }

    fn works(&self) -> Result<(), CipherError> {
        lock(&self.failure).map_or(Ok(()), Err)
    }

    fn count(&self) -> [u8; NONCE] {
        self.counter.fetch_add(1, Ordering::SeqCst).to_be_bytes()
    }

    /// Nonce, the text under a key stream, and a tag over all that must not differ.
    fn shut(&self, key: &[u8], context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let nonce = self.count();
        let mut bytes = nonce.to_vec();
        bytes.extend(plaintext.iter().zip(key_stream(key, &nonce)).map(|(text, stream)| text ^ stream));
        let tag = digest(&[b"tag", key, context, &bytes]);
        bytes.extend_from_slice(&tag);
        bytes
    }

    fn unwrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<Vec<u8>, CipherError> {
        if !lock(&self.keys).masters.contains(&key.master_version) {
            return Err(CipherError::UnknownKeyVersion(key.master_version));
        }
        unshut(&key_of(KeyUse::Master, key.master_version), &subject.to_bytes(), &key.bytes)
    }

    fn wrap(&self, key: &[u8], subject: SubjectId) -> WrappedKey {
        let master_version = self.current(KeyUse::Master);
        let master = key_of(KeyUse::Master, master_version);
        WrappedKey { master_version, bytes: self.shut(&master, &subject.to_bytes(), key) }
    }

    fn fingerprint_under(
        kind: FingerprintKind,
        normalised: &Secret<String>,
        key_version: u32,
    ) -> Fingerprint {
        let key = key_of(KeyUse::Fingerprint, key_version);
        let digest =
            digest(&[b"fingerprint", &key, kind.as_str().as_bytes(), normalised.expose().as_bytes()]);
        Fingerprint { kind, key_version, digest }
    }
}

fn key_of(of: KeyUse, version: u32) -> [u8; 32] {
    digest(&[&ROOT_KEY, of.as_str().as_bytes(), &version.to_be_bytes()])
}

impl Cipher for FakeCipher {
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        self.works()?;
        let key = digest(&[b"data key", &self.count()]);
        Ok(self.wrap(&key, subject))
    }

    fn seal(&self, key: &WrappedKey, context: &Context<'_>, plaintext: &[u8]) -> Result<Sealed, CipherError> {
        self.works()?;
        let key = self.unwrap(key, context.subject)?;
        Ok(Sealed::from_bytes(self.shut(&key, &context.to_bytes(), plaintext)))
    }

    fn open(
        &self,
        key: &WrappedKey,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError> {
        self.works()?;
        let key = self.unwrap(key, context.subject)?;
        unshut(&key, &context.to_bytes(), sealed.as_bytes()).map(Secret::new)
    }

    fn rewrap(&self, key: &WrappedKey, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        self.works()?;
        Ok(self.wrap(&self.unwrap(key, subject)?, subject))
    }

    fn current_versions(&self) -> KeyVersions {
        KeyVersions { master: self.current(KeyUse::Master), fingerprint: self.current(KeyUse::Fingerprint) }
    }

    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint {
        Self::fingerprint_under(kind, normalised, self.current(KeyUse::Fingerprint))
    }

    fn fingerprints(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Vec<Fingerprint> {
        let versions = lock(&self.keys).fingerprints.clone();
        versions.into_iter().rev().map(|version| Self::fingerprint_under(kind, normalised, version)).collect()
    }

    fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        let under = |version: &u32| {
            let key = key_of(KeyUse::Fingerprint, *version);
            let mut all: Vec<&[u8]> = vec![b"digest", &key, purpose.as_str().as_bytes()];
            all.extend(parts);
            digest(&all)
        };
        let versions = lock(&self.keys).fingerprints.clone();
        let mut all = versions.iter().rev().map(under);
        Digests { current: all.next().unwrap_or_default(), others: all.collect() }
    }
}

fn unshut(key: &[u8], context: &[u8], bytes: &[u8]) -> Result<Vec<u8>, CipherError> {
    let (body, tag) = bytes.split_last_chunk::<TAG>().ok_or(CipherError::Unreadable)?;
    let (nonce, text) = body.split_first_chunk::<NONCE>().ok_or(CipherError::Unreadable)?;
    if digest(&[b"tag", key, context, body]) != *tag {
        return Err(CipherError::Unreadable);
    }
    Ok(text.iter().zip(key_stream(key, nonce)).map(|(text, stream)| text ^ stream).collect())
}

fn key_stream(key: &[u8], nonce: &[u8; NONCE]) -> impl Iterator<Item = u8> {
    (0_u64..).flat_map(move |block| digest(&[b"stream", key, nonce, &block.to_be_bytes()]))
}

/// SHA-256 over parts, each behind its length, so that no two lists of parts read the same.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
