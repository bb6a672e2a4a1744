//! What the operator does from the command line: each thing that writes is an [`Operation`].
//!
//! One process owns a data folder. While a server runs on it, a command asks that server over the Unix socket
//! of the folder; where none runs, it takes the lock and does the same itself. Either way [`execute`] does it,
//! through the same use cases as an HTTP request.
//!
//! ```text
//! kyc-server api-keys create … -> Operation -> kyc (socket, 0600) -> execute in the server
//!                                          \-> lock on the folder -> execute in the command
//! ```

mod api_keys;
pub mod audit;
pub mod keyring;
mod keys;
mod no_provider;
mod retention;
pub mod socket;

use std::fmt;
use std::sync::Arc;

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::key_use::KeyUse;
use kyc_core::ports::Store;
use serde::{Deserialize, Serialize};

pub use self::api_keys::NewKey;
use self::keyring::HeldKeyring;
use self::keys::Work;
pub use self::no_provider::NoProvider;

/// Something that the operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Make an API key.
    CreateApiKey(NewKey),
    /// List the API keys.
    ListApiKeys,
    /// Revoke an API key.
    RevokeApiKey {
        /// The key's id.
        id: String,
    },
    /// Erase those whose retention has ended.
    RunRetention {
        /// Whether to say only who they are.
        dry_run: bool,
    },
    /// List the keys that personal data is sealed and found with.
    ListKeys,
    /// Add a version of the master key, or of the fingerprint key, and put everybody under it.
    RotateKey {
        /// Whether it is the fingerprint key.
        fingerprint: bool,
    },
    /// Take a version out of the keyring that nothing needs.
    RetireKey {
        /// The version.
        version: u32,
        /// Whether it is the fingerprint key.
        fingerprint: bool,
    },
}

/// What operations work with.
#[derive(Clone)]
pub struct Tools {
    /// The use cases.
    pub kyc: Kyc,
    /// The store behind them.
    pub store: Arc<dyn Store>,
    /// The keyring.
    pub keyring: Arc<HeldKeyring>,
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How many are done.
    pub done: u64,
    /// Of how many, as far as is known.
    pub total: u64,
}

/// Where an operation tells how far it has come.
pub type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Why an operation was not done, in words for the operator. They hold no personal data and no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone(String);

impl NotDone {
    /// In these words.
    #[must_use]
    pub fn because(words: impl fmt::Display) -> Self {
        Self(words.to_string())
    }
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotDone {}

/// Does what is asked for, and answers the lines to print.
///
/// # Errors
/// [`NotDone`] says why not.
pub async fn execute(
    operation: Operation,
    tools: &Tools,
    actor: &Actor,
    report: Report<'_>,
) -> Result<Vec<String>, NotDone> {
    let keys = || Work { kyc: &tools.kyc, keyring: &tools.keyring, store: &*tools.store, actor };
    match operation {
        Operation::CreateApiKey(new) => api_keys::create(&tools.kyc, actor, new).await,
        Operation::ListApiKeys => api_keys::list(&tools.kyc, actor).await,
        Operation::RevokeApiKey { id } => api_keys::revoke(&tools.kyc, actor, &id).await,
        Operation::RunRetention { dry_run } => retention::run(&tools.kyc, actor, dry_run, report).await,
        Operation::ListKeys => keys().list().await,
        Operation::RotateKey { fingerprint } => keys().rotate(key_use(fingerprint), report).await,
        Operation::RetireKey { version, fingerprint } => keys().retire(key_use(fingerprint), version).await,
    }
}

const fn key_use(fingerprint: bool) -> KeyUse {
    if fingerprint { KeyUse::Fingerprint } else { KeyUse::Master }
}

/// Columns of text, as wide as their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let line = |row: &[String; N]| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let pad = width(column).saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(pad))
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
