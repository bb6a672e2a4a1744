//! The bytes of a key in memory.

use std::fmt;

use zeroize::Zeroize;

/// The length of every key here, in bytes: AES-256 needs it, and for HMAC-SHA256 it is the length of the
/// output, the least that RFC 2104, section 3, recommends.
pub(super) const KEY_LENGTH: usize = 32;

/// One key, zeroed on drop. It lies on the heap, so that moving the value moves no key bytes and leaves
/// none behind on the stack.
pub(super) struct KeyBytes(Box<[u8; KEY_LENGTH]>);

impl KeyBytes {
    /// A key whose bytes `fill` writes in place.
    pub(super) fn filled<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self(Box::new([0; KEY_LENGTH]));
        fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// A copy of a key that lies elsewhere.
    pub(super) fn copied(bytes: &[u8; KEY_LENGTH]) -> Self {
        let mut key = Self(Box::new([0; KEY_LENGTH]));
        *key.0 = *bytes;
        key
    }

    /// The bytes. Whoever calls this keeps them out of logs, errors and stores.
    pub(super) fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// Whether all bytes are one byte, as in a key of zeros or of `1`s: a sample, never a random key (2^-248).
    pub(super) fn is_one_byte_repeated(&self) -> bool {
        self.0.iter().all(|byte| Some(byte) == self.0.first())
    }
}

impl Drop for KeyBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_one_byte_is_told_from_a_key_with_one_other() {
        for byte in [0, b'1', 255] {
            let mut bytes = [byte; KEY_LENGTH];
            assert!(KeyBytes::copied(&bytes).is_one_byte_repeated());
            bytes[KEY_LENGTH - 1] ^= 1;
            assert!(!KeyBytes::copied(&bytes).is_one_byte_repeated());
        }
    }

    #[test]
    fn what_fails_to_fill_is_no_key() {
        assert_eq!(KeyBytes::filled(|_| Err("no source")).unwrap_err(), "no source");
    }

    #[test]
    fn debug_shows_no_byte() {
        assert_eq!(format!("{:?}", KeyBytes::copied(&[7; KEY_LENGTH])), "KeyBytes(redacted)");
    }
}
