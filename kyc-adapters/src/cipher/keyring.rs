//! The keyring: the master keys that wrap data keys, and the fingerprint keys, each with a version.
//!
//! ```json
//! {
//!   "format": 1,
//!   "master_keys": [{ "version": 1, "key": "<32 bytes in base64>", "created_at": "2026-01-01T00:00:00Z" }],
//!   "current_master": 1,
//!   "fingerprint_keys": [{ "version": 1, "key": "<32 bytes in base64>", "created_at": "2026-01-01T00:00:00Z" }],
//!   "current_fingerprint": 1
//! }
//! ```
//!
//! New data keys are wrapped under the current master key; older versions stay to open what they
//! wrapped, until each data key is wrapped anew. There is no default key, and nothing starts without one.

mod error;
#[cfg(unix)]
mod file;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use kyc_core::Secret;
use kyc_core::ports::Entropy;

pub use self::error::{KeyUse, KeyringError};
use super::key_bytes::{KEY_LENGTH, KeyBytes};

/// The keys of one installation, checked. `Debug` shows versions only.
///
/// Whoever loses it loses every sealed value; whoever copies it together with the database can read all
/// of them. So it is backed up apart from the database.
pub struct Keyring {
    masters: Keys,
    fingerprints: Keys,
}

impl Keyring {
    /// Reads a keyring from its JSON (the form is that of the file), for those who keep it in a secret
    /// store of their own rather than in a file. They answer for who can read it there.
    ///
    /// # Errors
    /// [`KeyringError`] for what is wrong with the content.
    pub fn from_json(json: &Secret<String>) -> Result<Self, KeyringError> {
        text::parse(json.expose())
    }

    /// A keyring of one master key and one fingerprint key, both version 1, made at `now`.
    fn random(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, KeyringError> {
        let keys = |of| {
            let bytes = KeyBytes::filled(|bytes| entropy.fill(bytes)).map_err(|_| KeyringError::NoEntropy)?;
            Keys::checked(of, vec![Key { version: 1, bytes, created_at: now }], 1)
        };
        Self::checked(keys(KeyUse::Master)?, keys(KeyUse::Fingerprint)?)
    }

    /// Two lists as one keyring: no key is in both, since whoever could compute fingerprints could then
    /// unwrap data keys too.
    fn checked(masters: Keys, fingerprints: Keys) -> Result<Self, KeyringError> {
        for (version, key) in &fingerprints.by_version {
            if masters.holds(key.bytes.expose()) {
                return Err(KeyringError::KeyRepeated { of: KeyUse::Fingerprint, version: *version });
            }
        }
        Ok(Self { masters, fingerprints })
    }

    /// The version of the master key that wraps new data keys.
    #[must_use]
    pub const fn current_master(&self) -> u32 {
        self.masters.current
    }

    /// The version of the fingerprint key in use.
    #[must_use]
    pub const fn current_fingerprint(&self) -> u32 {
        self.fingerprints.current
    }

    pub(super) fn master_keys(&self) -> impl Iterator<Item = (u32, &[u8; KEY_LENGTH])> {
        self.masters.by_version.iter().map(|(version, key)| (*version, key.bytes.expose()))
    }

    pub(super) fn fingerprint_key(&self) -> Option<&[u8; KEY_LENGTH]> {
        self.fingerprints.by_version.get(&self.fingerprints.current).map(|key| key.bytes.expose())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("master_versions", &self.masters.by_version.keys().collect::<Vec<_>>())
            .field("current_master", &self.masters.current)
            .field("fingerprint_versions", &self.fingerprints.by_version.keys().collect::<Vec<_>>())
            .field("current_fingerprint", &self.fingerprints.current)
            .finish()
    }
}

/// One key with its version and birth.
struct Key {
    version: u32,
    bytes: KeyBytes,
    created_at: Timestamp,
}

/// The keys of one use, by version, the current one among them.
struct Keys {
    by_version: BTreeMap<u32, Key>,
    current: u32,
}

impl Keys {
    /// A list that can be used: no weak key, no version and no key twice, the current one there.
    fn checked(of: KeyUse, keys: Vec<Key>, current: u32) -> Result<Self, KeyringError> {
        let mut checked = Self { by_version: BTreeMap::new(), current };
        for key in keys {
            let version = key.version;
            if key.bytes.is_one_byte_repeated() {
                return Err(KeyringError::WeakKey { of, version });
            }
            if checked.by_version.contains_key(&version) {
                return Err(KeyringError::VersionRepeated { of, version });
            }
            if checked.holds(key.bytes.expose()) {
                return Err(KeyringError::KeyRepeated { of, version });
            }
            checked.by_version.insert(version, key);
        }
        if checked.by_version.contains_key(&current) {
            Ok(checked)
        } else {
            Err(KeyringError::CurrentMissing { of, version: current })
        }
    }

    fn holds(&self, bytes: &[u8; KEY_LENGTH]) -> bool {
        self.by_version.values().any(|key| key.bytes.expose() == bytes)
    }
}

#[cfg(test)]
mod tests;
