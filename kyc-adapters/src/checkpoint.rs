//! Checkpoints of the audit chain: the key that signs them, with `ring`, and the folder that keeps them.
//!
//! A checkpoint shows something only to whoever can trust that an attacker did not sign it: who can read the key
//! can sign anything, and who can write the folder can remove what it holds. So the key and the folder belong
//! apart from the database, on another disk or host; by default they are in the data folder, where they show
//! accidents and the doings of those who could change the database alone.

mod folder;
mod key;

use std::io;
use std::path::{Path, PathBuf};

use kyc_core::domain::checkpoint::{Checkpoint, NoteFault, VerifierKey};

pub use self::folder::CheckpointFolder;
pub use self::key::{CheckpointKey, verify};

/// Why checkpoints can't be signed, kept or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file or a folder can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key is not there.
    #[error("{}: there is no checkpoint key; the service makes one when it starts for the first time", path.display())]
    KeyMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key is not there, and what it signed is.
    #[error(
        "{}: the checkpoint key is missing, and {} has checkpoints: bring the key back, or, to begin with a new \
         one, move the checkpoints elsewhere and keep them with their public key",
        path.display(),
        folder.display()
    )]
    KeyLost {
        /// Where the key should be.
        path: PathBuf,
        /// Where the checkpoints are.
        folder: PathBuf,
    },
    /// Others may read the key.
    #[error("{}: others may read this key (mode {mode:04o}): chmod 600, and make a new one if anybody did", path.display())]
    KeyOpenToOthers {
        /// Where it is.
        path: PathBuf,
        /// The mode of the file.
        mode: u32,
    },
    /// The file is not a key.
    #[error("{}: this is not an Ed25519 key in PKCS#8 as the service makes it", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// A file of the folder is not a checkpoint of this log.
    #[error("{}: {fault}", path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: NoteFault,
    },
    /// The folder has no checkpoint, and was asked for some.
    #[error("{}: there is no checkpoint in this folder", path.display())]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// No randomness for a key.
    #[error("the source of randomness failed")]
    NoEntropy,
}

impl CheckpointError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}

/// The checkpoints of a service: what it signed before, and what it signs from here on.
#[derive(Debug)]
pub struct Checkpoints {
    key: CheckpointKey,
    folder: CheckpointFolder,
}

impl Checkpoints {
    /// Opens the folder and the key, each made where it is missing, and returns the newest checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`]; among others every file that says it is a checkpoint must be one of this log, and
    /// a key that is missing is not made anew where it has signed checkpoints.
    pub fn open(key: &Path, folder: &Path) -> Result<(Self, Option<Checkpoint>), CheckpointError> {
        let folder = CheckpointFolder::make(folder)?;
        let key = match CheckpointKey::load(key) {
            Err(CheckpointError::KeyMissing { path }) if folder.is_empty()? => CheckpointKey::create(&path),
            Err(CheckpointError::KeyMissing { path }) => {
                Err(CheckpointError::KeyLost { path, folder: folder.path().to_owned() })
            }
            loaded => loaded,
        }?;
        let kept = folder.read(key.verifier())?;
        let newest = kept.into_iter().max_by_key(|checkpoint| (checkpoint.size, checkpoint.at));
        Ok((Self { key, folder }, newest))
    }

    /// The key that verifies.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// Signs a checkpoint and keeps it; the note.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] where the folder can't be written to.
    pub fn keep(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
        let note = self.key.sign(checkpoint);
        self.folder.keep(checkpoint, &note)?;
        Ok(note)
    }
}

#[cfg(test)]
mod tests;
