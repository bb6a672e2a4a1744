//! The keyring in a file, on systems with Unix permissions. Elsewhere there is [`Keyring::from_json`]:
//! nothing here could tell who may read a file there.
//!
//! # Whose the file may be
//! Its owner's alone (mode 0600 or 0400), with one exception, for secrets that an orchestrator mounts: a file
//! of **root** that nobody may write to, and that its group may read besides (0440). Kubernetes mounts so for a
//! user that is not root (`defaultMode: 0440` with `fsGroup`): the process is in that group, and could not read
//! it otherwise. What all users may read is refused whoever owns it, as with Kubernetes' own default of 0644.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kyc_core::ports::Entropy;
use zeroize::Zeroizing;

use super::{Keyring, KeyringError, text};

/// The most bytes that are read: room for a few hundred keys.
const SIZE_LIMIT: u64 = 64 * 1024;
/// How the name of a file ends that is to be a keyring.
const ENDING: &str = ".new";

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
        let (temporary, _) = keyring.write_beside(path, entropy, failed)?;
        fs::hard_link(&temporary.0, path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                KeyringError::Exists { path: path.to_owned() }
            } else {
                failed(error)
            }
        })?;
        drop(temporary);
        sync_folder(path).map_err(failed)?;
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
    pub fn prepare(&self, path: &Path, entropy: &dyn Entropy) -> Result<PreparedKeyring, KeyringError> {
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
        sweep(path);
        let (temporary, file) = self.write_beside(path, entropy, failed)?;
        let after = file.metadata().map_err(failed)?;
        if (after.uid(), after.gid()) != (before.uid(), before.gid()) {
            // The operator may be root, and the service not.
            chown(&temporary.0, Some(before.uid()), Some(before.gid())).map_err(failed)?;
        }
        Ok(PreparedKeyring { temporary, path: path.to_owned() })
    }

    /// Writes the keyring to a new file in the folder of `path`, synced.
    fn write_beside(
        &self,
        path: &Path,
        entropy: &dyn Entropy,
        failed: impl Fn(io::Error) -> KeyringError,
    ) -> Result<(Temporary, File), KeyringError> {
        let json = text::write(self).map_err(|error| failed(error.into()))?;
        if json.len() > usize::try_from(SIZE_LIMIT).unwrap_or(usize::MAX) {
            return Err(KeyringError::TooLarge { path: path.to_owned(), limit: SIZE_LIMIT });
        }
        let (temporary, mut file) = Temporary::create(temporary_path(path, entropy)?).map_err(&failed)?;
        file.write_all(&json).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok((temporary, file))
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
        let length = read_up_to(file, &mut bytes).map_err(failed)?;
        let json = bytes.get(..length).and_then(|json| std::str::from_utf8(json).ok());
        text::parse(json.ok_or(KeyringError::Malformed { line: 0, column: 0 })?)
    }
}

/// A keyring that lies beside the file whose place it is to take.
#[derive(Debug)]
pub struct PreparedKeyring {
    temporary: Temporary,
    path: PathBuf,
}

impl PreparedKeyring {
    /// Puts it in the place of the file, in one step: whoever reads, and whoever finds the folder after a
    /// crash, has the old keyring or the new one, and never a part.
    ///
    /// # Errors
    /// [`KeyringError::Io`].
    pub fn put_in_place(self) -> Result<(), KeyringError> {
        let failed = |source| KeyringError::Io { path: self.path.clone(), source };
        fs::rename(&self.temporary.0, &self.path).map_err(failed)?;
        sync_folder(&self.path).map_err(failed)
    }
}

/// Whether a file of this mode and owner is as private as the module says.
const fn is_private(mode: u32, owner: u32) -> bool {
    let (others, beside_reading) = (mode & 0o077, mode & !0o440);
    others == 0 || (owner == 0 && beside_reading == 0)
}

/// A new name in a folder survives the loss of power only when the folder is synced as well.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Removes what a crash left of earlier attempts: it holds keys. What can't be removed is its owner's alone.
fn sweep(path: &Path) {
    let Some(begins) = path.file_name().and_then(|name| name.to_str()).map(|name| format!(".{name}.")) else {
        return;
    };
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&begins) && name.ends_with(ENDING)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn read_up_to(mut file: File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The file before it has its name. Removed in any case: it holds keys.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    /// A new file, its owner's alone from its first moment on.
    fn create(path: PathBuf) -> io::Result<(Self, File)> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok((Self(path), file))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Once it has its name there is nothing to remove. Where it can't be removed there is nobody left to
        // tell; the file is its owner's alone.
        let _ = fs::remove_file(&self.0);
    }
}

fn temporary_path(path: &Path, entropy: &dyn Entropy) -> Result<PathBuf, KeyringError> {
    let name = path.file_name().ok_or_else(|| KeyringError::NotAFile { path: path.to_owned() })?;
    let mut random = [0; 8];
    entropy.fill(&mut random).map_err(|_| KeyringError::NoEntropy)?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}{ENDING}", HEXLOWER.encode(&random)));
    Ok(folder(path).join(temporary))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
