//! What can be wrong with a keyring, in words that say what to mend and show nothing of a key.

use std::io;
use std::path::PathBuf;

use kyc_core::domain::key_use::KeyUse;

/// Why there is no keyring to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file is there already; creating would destroy keys.
    #[error(
        "{} exists and is not overwritten: without its keys nothing sealed under them can be \
             read; move it away to create another", path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no file.
    #[error(
        "{} does not exist: create a keyring, or restore the one that this installation had", path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The path does not lead to a plain file.
    #[error("{} is not a plain file: name the file of the keyring", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Others than its owner may use the file.
    #[error(
        "{} has mode {mode:04o}, so that others than its owner can use it: run `chmod 600` on it (a secret \
             that is mounted belongs to root and has mode 0400 or 0440), and replace the keys if others may have \
             read them", path.display()
    )]
    OpenToOthers {
        /// The file, or the link to it.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system refused to read or write.
    #[error(
        "{} can't be read or written: see that the folder exists and that this user may use it", path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file can't be exchanged by this program: it is a link, as where secrets are mounted, or the folder
    /// can't be written to.
    #[error("{} can't be exchanged by this program: it is a link, or its folder is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is larger than any keyring.
    #[error("{} is larger than {limit} bytes: name the file of the keyring", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that a keyring may have.
        limit: u64,
    },
    /// It is not JSON of the documented form. What stands there is not repeated: it may be a key.
    #[error(
        "the keyring is not of the documented form at line {line}, column {column}: mend the JSON \
             there (all fields and no others, keys in plain base64)"
    )]
    Malformed {
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// The column, from 1; 0 where it is not known.
        column: usize,
    },
    /// A later version of this program wrote it.
    #[error("the keyring has format {0} and this program reads format 1: use the program that wrote it")]
    UnknownFormat(u64),
    /// A key is not 32 bytes in base64.
    #[error("{of} key {version} is not 32 bytes in base64 (44 characters): restore it from a backup")]
    NotAKey {
        /// What the key is for.
        of: KeyUse,
        /// Its version.
        version: u32,
    },
    /// A key is one byte over and over: a sample, not a key.
    #[error("{of} key {version} is one byte over and over: put a random key in its place")]
    WeakKey {
        /// What the key is for.
        of: KeyUse,
        /// Its version.
        version: u32,
    },
    /// Two keys of one use have one version.
    #[error("two {of} keys have version {version}: give each a version of its own")]
    VersionRepeated {
        /// What the keys are for.
        of: KeyUse,
        /// The version.
        version: u32,
    },
    /// A key stands there twice, under two versions or for two uses.
    #[error("{of} key {version} is also another key of this keyring: put a random key in its place")]
    KeyRepeated {
        /// What the key is for.
        of: KeyUse,
        /// Its version.
        version: u32,
    },
    /// The current version has no key.
    #[error(
        "the current {of} key is version {version}, which the keyring does not hold: add it, or \
             name another as current"
    )]
    CurrentMissing {
        /// What the key would be for.
        of: KeyUse,
        /// The version that is named as current.
        version: u32,
    },
    /// There is no key of this version.
    #[error("the keyring holds no {of} key of version {version}")]
    NotHeld {
        /// What the key would be for.
        of: KeyUse,
        /// The version.
        version: u32,
    },
    /// The current key can't be taken out.
    #[error("{of} key {version} is the current one, which is in use")]
    InUse {
        /// What the key is for.
        of: KeyUse,
        /// Its version.
        version: u32,
    },
    /// There is no higher version.
    #[error("the newest {of} key has the highest version that there is")]
    NoVersionLeft {
        /// What the key is for.
        of: KeyUse,
    },
    /// No random bytes could be had, so no key was made.
    #[error("the source of randomness failed, so that no key was made: try again")]
    NoEntropy,
}
