//! The keyring in a file, on systems with Unix permissions. Elsewhere there is [`Keyring::from_json`]:
//! nothing here could tell who may read a file there.
//!
//! # Whose the file may be
//! Its owner's alone (mode 0600 or 0400), with one exception, for secrets that an orchestrator mounts: a file
//! of **root** that nobody may write to, and that its group may read besides (0440). Kubernetes mounts so for a
//! user that is not root (`defaultMode: 0440` with `fsGroup`): the process is in that group, and could not read
//! it otherwise. What all users may read is refused whoever owns it, as with Kubernetes' own default of 0644.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kyc_core::ports::Entropy;
use zeroize::Zeroizing;

use super::{Keyring, KeyringError, text};
use crate::file::{NewFile, read_into};

/// The most bytes that are read: room for a few hundred keys.
const SIZE_LIMIT: u64 = 64 * 1024;

impl Keyring {
    /// Makes a keyring of new keys and writes it to `path`, readable by its owner only.
    ///
    /// The file appears whole and durable, or not at all: it is written under another name in the same
    /// folder, synced, and linked to its own. A link never replaces a file, thus neither does this.
    ///
    /// # Errors
    /// [`KeyringError::Exists`] where something is at `path`, [`KeyringError::NoEntropy`] and
    /// [`KeyringError::WeakKey`] where `entropy` is of no use, [`KeyringError::Io`] where the folder can't
    /// be written to or knows no hard links.
    pub fn create(path: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::Io { path: path.to_owned(), source };
        let keyring = Self::random(entropy, now)?;
        keyring.write_beside(path, failed)?.settle().map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                KeyringError::Exists { path: path.to_owned() }
            } else {
                failed(error)
            }
        })?;
        Ok(keyring)
    }

    /// Writes this keyring beside the file at `path`, to be put in its place with
    /// [`PreparedKeyring::put_in_place`]: everything that can fail has been tried then, but for that last step.
    /// The new file has the owner of the old one, and mode 0600.
    ///
    /// # Errors
    /// [`KeyringError::ReadOnly`] where the file is not this program's to exchange, [`KeyringError::Missing`]
    /// where there is none, [`KeyringError::TooLarge`] where it would not be read again, and
    /// [`KeyringError::Io`].
    pub fn prepare(&self, path: &Path) -> Result<PreparedKeyring, KeyringError> {
        let failed = |source: io::Error| {
            let (path, kind) = (path.to_owned(), source.kind());
            if matches!(kind, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) {
                KeyringError::ReadOnly { path }
            } else if kind == io::ErrorKind::NotFound {
                KeyringError::Missing { path }
            } else {
                KeyringError::Io { path, source }
            }
        };
        let before = fs::symlink_metadata(path).map_err(failed)?;
        if before.is_symlink() {
            // A name that replaces the link would leave the secret behind it as it is.
            return Err(KeyringError::ReadOnly { path: path.to_owned() });
        }
        // What a crash left of earlier attempts holds keys.
        NewFile::sweep(path);
        let file = self.write_beside(path, failed)?;
        // The operator may be root, and the service not.
        file.give_to(&before).map_err(failed)?;
        Ok(PreparedKeyring { file, path: path.to_owned() })
    }

    /// Writes the keyring to a new file in the folder of `path`, synced.
    fn write_beside(
        &self,
        path: &Path,
        failed: impl Fn(io::Error) -> KeyringError,
    ) -> Result<NewFile, KeyringError> {
        let json = text::write(self).map_err(|error| failed(error.into()))?;
        if json.len() > usize::try_from(SIZE_LIMIT).unwrap_or(usize::MAX) {
            return Err(KeyringError::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT });
        }
        if path.file_name().is_none() {
            return Err(KeyringError::NotAFile { path: path.to_owned() });
        }
        let mut file = NewFile::beside(path).map_err(&failed)?;
        file.write_all(&json).and_then(|()| file.sync()).map_err(failed)?;
        Ok(file)
    }

    /// Reads the keyring at `path`, which may be a link, as where an orchestrator mounts secrets.
    ///
    /// # Errors
    /// [`KeyringError`] for what is wrong with the file (permissions are those of the file that was opened,
    /// so that it can't be exchanged after the check) or with its content.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                KeyringError::Missing { path: path.to_owned() }
            } else {
                failed(error)
            }
        })?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(KeyringError::NotAFile { path: path.to_owned() });
        }
        let mode = metadata.mode() & 0o7777;
        if !is_private(mode, metadata.uid()) {
            return Err(KeyringError::OpenToOthers { path: path.to_owned(), mode });
        }
        if metadata.len() > SIZE_LIMIT {
            return Err(KeyringError::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT });
        }
        // As much room as may come, at once: a buffer that grew would leave keys behind in freed memory.
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(SIZE_LIMIT).unwrap_or(0)]);
        let length = read_into(file, &mut bytes).map_err(failed)?;
        let json = bytes.get(..length).and_then(|json| std::str::from_utf8(json).ok());
        text::parse(json.ok_or(KeyringError::Malformed { line: 0, column: 0 })?)
    }
}

/// A keyring that lies beside the file whose place it is to take.
#[derive(Debug)]
pub struct PreparedKeyring {
    file: NewFile,
    path: PathBuf,
}

impl PreparedKeyring {
    /// Puts it in the place of the file, in one step: whoever reads, and whoever finds the folder after a
    /// crash, has the old keyring or the new one, and never a part.
    ///
    /// # Errors
    /// [`KeyringError::Io`].
    pub fn put_in_place(self) -> Result<(), KeyringError> {
        let Self { file, path } = self;
        file.replace().map_err(|source| KeyringError::Io { path, source })
    }
}

/// Whether a file of this mode and owner is as private as the module says.
const fn is_private(mode: u32, owner: u32) -> bool {
    let (others, beside_reading) = (mode & 0o077, mode & !0o440);
    others == 0 || (owner == 0 && beside_reading == 0)
}

#[cfg(test)]
mod tests;
