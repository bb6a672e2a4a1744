//! AES-256-GCM that commits to its key, and the format of what it makes.
//!
//! GCM (NIST SP 800-38D) does not commit to its key: whoever knows two keys can make one ciphertext and
//! tag that open under both, to two plaintexts (Dodis, Grubbs, Ristenpart and Woodage, "Fast Message
//! Franking: From Invisible Salamanders to Encryptment", CRYPTO 2018; the test below does it). A writer
//! of the store who also learned data keys could thus show a reviewer one passport and an auditor
//! another. So each key is only the input of HKDF-SHA256 (RFC 5869), which gives an encryption key and a
//! commitment; the commitment lies in front of the ciphertext and is compared before anything is decrypted.
//! Two keys with one commitment would be a collision of HMAC-SHA256.
//!
//! | part | bytes |
//! | --- | --- |
//! | format version, 1 | 1 |
//! | commitment to the key | 32 |
//! | nonce, random | 12 |
//! | ciphertext | as many as the plaintext has |
//! | tag | 16 |

use kyc_core::ports::cipher::CipherError;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::key_bytes::{KEY_LENGTH, KeyBytes};

/// The version of the format. Another one is refused: there is no second way to read a value.
pub(super) const FORMAT: u8 = 1;
/// 96 bits, the length that GCM is made for (NIST SP 800-38D, section 5.2.1.1).
pub(super) const NONCE_LENGTH: usize = 12;
const COMMITMENT_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;
const HEADER_LENGTH: usize = 1 + COMMITMENT_LENGTH + NONCE_LENGTH;

const ENCRYPTION_INFO: &[u8] = b"kyc aes-256-gcm encryption key v1";
const COMMITMENT_INFO: &[u8] = b"kyc aes-256-gcm commitment key v1";
/// What the commitment key signs. The signature is the commitment, since `ring` compares a signature in
/// constant time and offers no other comparison that is not deprecated.
const COMMITMENT_LABEL: &[u8] = b"kyc key commitment v1";

/// A key made ready for use: its encryption key, and the key of its commitment.
pub(super) struct CommittedKey {
    encryption: LessSafeKey,
    commitment: hmac::Key,
}

impl CommittedKey {
    /// Derives both from the bytes of a key.
    pub(super) fn derive(salt: &hkdf::Salt, key: &[u8; KEY_LENGTH]) -> Result<Self, CipherError> {
        let extracted = salt.extract(key);
        // Filling buffers of ours, rather than letting `ring` do it, leaves fewer copies behind.
        let expanded = |info: &[u8]| {
            KeyBytes::filled(|bytes| extracted.expand(&[info], hkdf::HKDF_SHA256)?.fill(bytes))
                .map_err(|_| CipherError::Unavailable)
        };
        let encryption = UnboundKey::new(&AES_256_GCM, expanded(ENCRYPTION_INFO)?.expose())
            .map_err(|_| CipherError::Unavailable)?;
        let commitment = hmac::Key::new(hmac::HMAC_SHA256, expanded(COMMITMENT_INFO)?.expose());
        Ok(Self { encryption: LessSafeKey::new(encryption), commitment })
    }

    /// Seals `plaintext`. The nonce must be new.
    pub(super) fn seal(
        &self,
        nonce: [u8; NONCE_LENGTH],
        associated_data: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        // The whole length at once: a buffer that grew would leave plaintext behind in freed memory.
        let mut sealed = Zeroizing::new(Vec::with_capacity(HEADER_LENGTH + plaintext.len() + TAG_LENGTH));
        sealed.push(FORMAT);
        sealed.extend_from_slice(hmac::sign(&self.commitment, COMMITMENT_LABEL).as_ref());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let body = sealed.get_mut(HEADER_LENGTH..).ok_or(CipherError::Unavailable)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .encryption
            .seal_in_place_separate_tag(nonce, Aad::from(associated_data), body)
            .map_err(|_| CipherError::Unavailable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(std::mem::take(&mut *sealed))
    }

    /// Opens what [`CommittedKey::seal`] made; any bytes may come in.
    pub(super) fn open(
        &self,
        associated_data: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let parts = Parts::read(sealed).ok_or(CipherError::Unreadable)?;
        hmac::verify(&self.commitment, COMMITMENT_LABEL, parts.commitment)
            .map_err(|_| CipherError::Unreadable)?;
        let mut plaintext = Zeroizing::new(parts.ciphertext.to_vec());
        self.encryption
            .open_in_place_separate_tag(
                Nonce::assume_unique_for_key(*parts.nonce),
                Aad::from(associated_data),
                Tag::from(*parts.tag),
                &mut plaintext,
                0..,
            )
            .map_err(|_| CipherError::Unreadable)?;
        Ok(plaintext)
    }
}

/// A sealed value taken apart.
struct Parts<'a> {
    commitment: &'a [u8; COMMITMENT_LENGTH],
    nonce: &'a [u8; NONCE_LENGTH],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_LENGTH],
}

impl<'a> Parts<'a> {
    /// The parts, where the version is ours and the bytes are enough.
    fn read(sealed: &'a [u8]) -> Option<Self> {
        let (version, rest) = sealed.split_first()?;
        if *version != FORMAT {
            return None;
        }
        let (commitment, rest) = rest.split_first_chunk()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self { commitment, nonce, ciphertext, tag })
    }
}

#[cfg(test)]
mod tests;
