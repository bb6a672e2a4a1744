//! A stand-in for encryption: it behaves as a cipher must, and protects nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::lock;
use crate::Secret;
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::SubjectId;
use crate::ports::Cipher;
use crate::ports::cipher::{CipherError, Context, DigestPurpose, Digests, Fingerprint, Sealed, WrappedKey};

const MASTER_KEY: [u8; 32] = *b"a fake master key, seen by all!!";
const NONCE: usize = 8;
const TAG: usize = 32;

/// **Not encryption**: its keys are in this source file. It keeps the contract of [`Cipher`] all the same,
/// so that code which mixes up a key or a row fails in a test as it would in production: a flipped bit, a
/// foreign key and a foreign context are refused, two seals differ, and no plaintext shows.
///
/// It is reproducible: nonces and data keys come from a counter that clones share.
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
    digest_keys: Arc<Mutex<Vec<[u8; 32]>>>,
}

impl FakeCipher {
    /// The version of the one master key that it knows.
    pub const MASTER_VERSION: u32 = 1;

    /// A cipher.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has every call that can fail do so with this error, until it is told otherwise with `None`.
    pub fn fail_with(&self, failure: Option<CipherError>) {
        *lock(&self.failure) = failure;
    }

    /// Goes over to another key for digests; those before stay known.
    pub fn rotate_digest_key(&self) {
        let key = digest(&[b"digest key", &self.count()]);
        lock(&self.digest_keys).push(key);
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

    fn unwrap(key: &WrappedKey, subject: SubjectId) -> Result<Vec<u8>, CipherError> {
        if key.master_version != Self::MASTER_VERSION {
            return Err(CipherError::UnknownKeyVersion(key.master_version));
        }
        unshut(&MASTER_KEY, &subject.to_bytes(), &key.bytes)
    }
}

impl Cipher for FakeCipher {
    fn new_data_key(&self, subject: SubjectId) -> Result<WrappedKey, CipherError> {
        self.works()?;
        let key = digest(&[b"data key", &self.count()]);
        let bytes = self.shut(&MASTER_KEY, &subject.to_bytes(), &key);
        Ok(WrappedKey { master_version: Self::MASTER_VERSION, bytes })
    }

    fn seal(&self, key: &WrappedKey, context: &Context<'_>, plaintext: &[u8]) -> Result<Sealed, CipherError> {
        self.works()?;
        let key = Self::unwrap(key, context.subject)?;
        Ok(Sealed::from_bytes(self.shut(&key, &context.to_bytes(), plaintext)))
    }

    fn open(
        &self,
        key: &WrappedKey,
        context: &Context<'_>,
        sealed: &Sealed,
    ) -> Result<Secret<Vec<u8>>, CipherError> {
        self.works()?;
        let key = Self::unwrap(key, context.subject)?;
        unshut(&key, &context.to_bytes(), sealed.as_bytes()).map(Secret::new)
    }

    fn fingerprint(&self, kind: FingerprintKind, normalised: &Secret<String>) -> Fingerprint {
        let digest =
            digest(&[b"fingerprint", &MASTER_KEY, kind.as_str().as_bytes(), normalised.expose().as_bytes()]);
        Fingerprint { kind, key_version: Self::MASTER_VERSION, digest }
    }

    fn digests(&self, purpose: DigestPurpose, parts: &[&[u8]]) -> Digests {
        let under = |key: &[u8; 32]| {
            let mut all: Vec<&[u8]> = vec![b"digest", key, purpose.as_str().as_bytes()];
            all.extend(parts);
            digest(&all)
        };
        let later = lock(&self.digest_keys);
        let current = under(later.last().unwrap_or(&MASTER_KEY));
        let others =
            later.iter().rev().skip(1).chain(later.first().map(|_| &MASTER_KEY)).map(under).collect();
        Digests { current, others }
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
