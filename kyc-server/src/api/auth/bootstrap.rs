//! The operator's own key, chosen in the settings.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use kyc_core::Secret;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::fault::Invalid;
use kyc_core::ports::Entropy;
use kyc_core::ports::entropy::NoEntropy;
use ring::{digest, hmac};
use zeroize::Zeroizing;

/// The operator's own key, of which only a code is kept: an HMAC under its SHA-256, since `ring` compares
/// codes in constant time and offers nothing of the kind for plain digests.
pub struct BootstrapKey {
    code: hmac::Tag,
    actor: Actor,
}

const PURPOSE: &[u8] = b"kyc bootstrap key";

fn code_key(key: &Secret<String>) -> hmac::Key {
    let digest = digest::digest(&digest::SHA256, key.expose().as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, digest.as_ref())
}

impl BootstrapKey {
    /// Takes the key that the operator chose, who acts by `name`.
    ///
    /// # Errors
    /// `actor.invalid` for the name.
    pub fn new(key: &Secret<String>, name: &str) -> Result<Self, Invalid> {
        Ok(Self { code: hmac::sign(&code_key(key), PURPOSE), actor: Actor::admin(name)? })
    }

    /// A new random key of 256 bits, for an operator who has not chosen one.
    ///
    /// # Errors
    /// [`NoEntropy`] where there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Secret<String>, NoEntropy> {
        let mut random = Zeroizing::new([0; 32]);
        entropy.fill(&mut *random)?;
        Ok(Secret::new(BASE64URL_NOPAD.encode(&*random)))
    }
}

impl fmt::Debug for BootstrapKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootstrapKey(redacted)")
    }
}

impl BootstrapKey {
    /// The operator, where this is the operator's key. It takes as long whether it is or not.
    #[must_use]
    pub fn holder(&self, presented: &Secret<String>) -> Option<Actor> {
        let same = hmac::verify(&code_key(presented), PURPOSE, self.code.as_ref()).is_ok();
        same.then(|| self.actor.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_is_the_key() {
        let key = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
        let keys = BootstrapKey::new(&key, "bootstrap").unwrap();
        assert_eq!(keys.holder(&key).unwrap().name(), "bootstrap");
        for other in ["", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcde"] {
            let other = Secret::new(other.to_owned());
            assert_eq!(keys.holder(&other), None);
        }
        let padded = Secret::new(format!("{}\0", key.expose()));
        assert_eq!(keys.holder(&padded), None);
    }
}
