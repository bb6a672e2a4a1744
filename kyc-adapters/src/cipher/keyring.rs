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
//! wrapped, until each data key is wrapped anew, and are then retired. There is no default key, and nothing
//! starts without one.

mod error;
#[cfg(unix)]
mod file;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use kyc_core::Secret;
use kyc_core::domain::key_use::KeyUse;
use kyc_core::ports::Entropy;

pub use self::error::KeyringError;
#[cfg(unix)]
pub use self::file::PreparedKeyring;
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
        let keys = |of| Keys::checked(of, vec![Key::random(1, entropy, now)?], 1);
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

    /// The versions of all keys, by use and version.
    #[must_use]
    pub fn list(&self) -> Vec<ListedKey> {
        let listed = |of| {
            let keys = self.keys(of);
            keys.by_version.values().map(move |key| ListedKey {
                of,
                version: key.version,
                created_at: key.created_at,
                is_current: key.version == keys.current,
            })
        };
        KeyUse::ALL.iter().flat_map(|of| listed(*of)).collect()
    }

    /// This keyring with a new random key more, of the next version, which is the current one.
    ///
    /// # Errors
    /// [`KeyringError::NoEntropy`] and [`KeyringError::WeakKey`] where `entropy` is of no use, and
    /// [`KeyringError::NoVersionLeft`] behind the highest version.
    pub fn rotated(&self, of: KeyUse, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, KeyringError> {
        let newest = self.keys(of).by_version.keys().next_back().copied().unwrap_or_default();
        let version = newest.checked_add(1).ok_or(KeyringError::NoVersionLeft { of })?;
        let new = Key::random(version, entropy, now)?;
        self.with(of, |keys| keys.push(new), version)
    }

    /// This keyring without a version of a key, which is not the current one.
    ///
    /// # Errors
    /// [`KeyringError::NotHeld`] and [`KeyringError::InUse`].
    pub fn retired(&self, of: KeyUse, version: u32) -> Result<Self, KeyringError> {
        let keys = self.keys(of);
        if !keys.by_version.contains_key(&version) {
            return Err(KeyringError::NotHeld { of, version });
        }
        if version == keys.current {
            return Err(KeyringError::InUse { of, version });
        }
        self.with(of, |keys| keys.retain(|key| key.version != version), keys.current)
    }

    /// The first key that has other bytes in the other keyring, under the same version: then the two are not of
    /// one installation, or one was altered by hand.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<(KeyUse, u32)> {
        let differs = |of: KeyUse| {
            let others = &other.keys(of).by_version;
            let mut both = self.keys(of).by_version.values();
            both.find(|key| {
                others.get(&key.version).is_some_and(|other| other.bytes.expose() != key.bytes.expose())
            })
        };
        KeyUse::ALL.iter().find_map(|of| differs(*of).map(|key| (*of, key.version)))
    }

    /// The version in use of one of the two.
    #[must_use]
    pub const fn current(&self, of: KeyUse) -> u32 {
        self.keys(of).current
    }

    /// A copy with other keys for one use, checked as a keyring that is read.
    fn with(
        &self,
        of: KeyUse,
        change: impl FnOnce(&mut Vec<Key>),
        current: u32,
    ) -> Result<Self, KeyringError> {
        let mut keys = self.keys(of).copied();
        change(&mut keys);
        let changed = Keys::checked(of, keys, current)?;
        let unchanged = |of| {
            let keys = self.keys(of);
            Keys::checked(of, keys.copied(), keys.current)
        };
        match of {
            KeyUse::Master => Self::checked(changed, unchanged(KeyUse::Fingerprint)?),
            KeyUse::Fingerprint => Self::checked(unchanged(KeyUse::Master)?, changed),
        }
    }

    const fn keys(&self, of: KeyUse) -> &Keys {
        match of {
            KeyUse::Master => &self.masters,
            KeyUse::Fingerprint => &self.fingerprints,
        }
    }

    pub(super) fn master_keys(&self) -> impl Iterator<Item = (u32, &[u8; KEY_LENGTH])> {
        self.masters.by_version.iter().map(|(version, key)| (*version, key.bytes.expose()))
    }

    pub(super) fn fingerprint_keys(&self) -> impl Iterator<Item = (u32, &[u8; KEY_LENGTH])> {
        self.fingerprints.by_version.iter().map(|(version, key)| (*version, key.bytes.expose()))
    }
}

/// What may be told of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedKey {
    /// What it is for.
    pub of: KeyUse,
    /// Its version.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is the one in use; the others only open what is under them.
    pub is_current: bool,
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

impl Key {
    fn random(version: u32, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, KeyringError> {
        let bytes = KeyBytes::filled(|bytes| entropy.fill(bytes)).map_err(|_| KeyringError::NoEntropy)?;
        Ok(Self { version, bytes, created_at: now })
    }
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

    fn copied(&self) -> Vec<Key> {
        let copy = |key: &Key| Key { bytes: KeyBytes::copied(key.bytes.expose()), ..*key };
        self.by_version.values().map(copy).collect()
    }

    fn holds(&self, bytes: &[u8; KEY_LENGTH]) -> bool {
        self.by_version.values().any(|key| key.bytes.expose() == bytes)
    }
}

/// The JSON of a keyring, for tests that change it.
#[cfg(test)]
pub(super) fn json(keyring: &Keyring) -> zeroize::Zeroizing<Vec<u8>> {
    text::write(keyring).unwrap_or_default()
}

#[cfg(test)]
mod tests;
