//! The keyring in a file, on systems with Unix permissions. Elsewhere there is [`Keyring::from_json`]:
//! nothing here could tell who may read a file there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kyc_core::ports::Entropy;
use zeroize::Zeroizing;

use super::{Keyring, KeyringError, text};

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
        let json = text::write(&keyring).map_err(|error| failed(error.into()))?;
        let (temporary, mut file) = Temporary::create(temporary_path(path, entropy)?).map_err(failed)?;
        file.write_all(&json).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::hard_link(&temporary.0, path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                KeyringError::Exists { path: path.to_owned() }
            } else {
                failed(error)
            }
        })?;
        drop(temporary);
        File::open(folder(path)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(keyring)
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
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
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
        // Where it can't be removed there is nobody left to tell; the file is its owner's alone.
        let _ = fs::remove_file(&self.0);
    }
}

fn temporary_path(path: &Path, entropy: &dyn Entropy) -> Result<PathBuf, KeyringError> {
    let name = path.file_name().ok_or_else(|| KeyringError::NotAFile { path: path.to_owned() })?;
    let mut random = [0; 8];
    entropy.fill(&mut random).map_err(|_| KeyringError::NoEntropy)?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.new", HEXLOWER.encode(&random)));
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
