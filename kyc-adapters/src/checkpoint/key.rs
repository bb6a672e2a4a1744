//! The Ed25519 key that signs checkpoints, in a file of its own.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kyc_core::domain::checkpoint::{Checkpoint, VerifierKey};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::CheckpointError;
use crate::file::{NewFile, read_into};

/// More than the 83 bytes of a key.
const SIZE_LIMIT: usize = 1024;

/// The key that signs. Its file holds PKCS#8 (RFC 5958) as `ring` makes it, in binary, readable by its owner only.
///
/// Our copies of the file are zeroed when they go; what `ring` makes of it is not, since it has no way to.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey({})", self.verifier.name())
    }
}

impl CheckpointKey {
    /// Makes a key and writes it to `path`, where nothing may be yet.
    ///
    /// # Errors
    /// [`CheckpointError::NoEntropy`], and [`CheckpointError::Io`] where the file can't be written or is there.
    pub fn create(path: &Path) -> Result<Self, CheckpointError> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| CheckpointError::NoEntropy)?;
        let write = || {
            let mut file = NewFile::beside(path)?;
            file.write_all(document.as_ref())?;
            file.settle()
        };
        write().map_err(CheckpointError::io(path))?;
        Self::read(document.as_ref(), path)
    }

    /// Reads the key at `path`, which may be a link, as where an orchestrator mounts secrets.
    ///
    /// # Errors
    /// [`CheckpointError`] for what is wrong with the file; its permissions are those of the file that was
    /// opened, so that it can't be exchanged after the check.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let file = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                CheckpointError::KeyMissing { path: path.to_owned() }
            } else {
                CheckpointError::io(path)(error)
            }
        })?;
        let metadata = file.metadata().map_err(CheckpointError::io(path))?;
        if !metadata.is_file() {
            return Err(CheckpointError::NotAKey { path: path.to_owned() });
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(CheckpointError::KeyOpenToOthers { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new([0; SIZE_LIMIT]);
        let length = read_into(file, &mut bytes[..]).map_err(CheckpointError::io(path))?;
        Self::read(bytes.get(..length).unwrap_or_default(), path)
    }

    fn read(pkcs8: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let not_a_key = || CheckpointError::NotAKey { path: path.to_owned() };
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| not_a_key())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| not_a_key())?;
        Ok(Self { pair, verifier: VerifierKey::of_audit_log(public) })
    }

    /// The key that verifies.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The note of a checkpoint, signed.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let signature = self.pair.sign(checkpoint.text(&self.verifier).as_bytes());
        let mut bytes = [0; 64];
        // An Ed25519 signature has 64 bytes (RFC 8032, section 5.1.6); another would verify nothing.
        for (byte, signed) in bytes.iter_mut().zip(signature.as_ref()) {
            *byte = *signed;
        }
        checkpoint.note(&self.verifier, &bytes)
    }
}

/// Whether a signature is that of a message under a public key, by Ed25519.
#[must_use]
pub fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}
