//! The keyring of this process: where it came from, what is held of it, and the cipher that works with it.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use kyc_adapters::cipher::{Keyring, KeyringError, ListedKey, PreparedKeyring, RingCipher};
use kyc_core::domain::key_use::KeyUse;
use kyc_core::ports::cipher::CipherError;
use kyc_core::ports::store::{CustomerFilter, KeyCount, PageRequest, StoreError};
use kyc_core::ports::{Cipher, Clock, Entropy, Store};
use tokio::sync::{Mutex, MutexGuard, TryLockError};

use crate::config::KeyringSource;

/// How many of the newest customers show whether a keyring is that of the database: more than one, so that
/// one row that somebody altered keeps no service from starting.
const SAMPLE: u32 = 5;

/// Why a keyring does not fit the database, or what is held.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The database needs a version that the keyring does not hold.
    #[error(
        "{customers} customers are under {of} key {version}, which the keyring does not hold: put back the \
             keyring that has it"
    )]
    Lacking {
        /// What the key is for.
        of: KeyUse,
        /// The version.
        version: u32,
        /// How many customers need it.
        customers: u64,
    },
    /// None of the newest customers can be read.
    #[error(
        "the keyring is not the one that the database was sealed with: its keys have the right versions, and \
             open nothing"
    )]
    OfAnother,
    /// A key has other bytes than before.
    #[error("{of} key {version} is another key than the one in use: a version has one key for ever")]
    Exchanged {
        /// What the key is for.
        of: KeyUse,
        /// The version.
        version: u32,
    },
    /// The database can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks whether the database can be read with a keyring: every version that is needed is there, and the keys
/// are the right ones.
///
/// # Errors
/// [`Unfit`] says why not.
pub async fn fits(keyring: &Keyring, cipher: &RingCipher, store: &dyn Store) -> Result<(), Unfit> {
    let held = keyring.list();
    for of in KeyUse::ALL {
        let is_held = |count: &KeyCount| held.iter().any(|key| key.of == *of && key.version == count.version);
        let mut counts = store.key_counts(*of).await?;
        if *of == KeyUse::Fingerprint {
            counts.extend(store.erased_key_counts().await?);
        }
        if let Some(KeyCount { version, customers }) = counts.into_iter().find(|count| !is_held(count)) {
            return Err(Unfit::Lacking { of: *of, version, customers });
        }
    }
    let page = PageRequest { after: None, limit: SAMPLE };
    let newest = store.customers(CustomerFilter::default(), page).await?;
    let opens = |wrapped: Result<_, CipherError>| wrapped != Err(CipherError::Unreadable);
    let mut wraps = newest.iter().map(|one| cipher.rewrap(&one.row.key.wrapped, one.row.subject));
    if newest.is_empty() || wraps.any(opens) { Ok(()) } else { Err(Unfit::OfAnother) }
}

/// Reads the keyring that the settings name.
///
/// # Errors
/// [`KeyringError`].
pub fn read(source: &KeyringSource) -> Result<Keyring, KeyringError> {
    match source {
        KeyringSource::File(path) => Keyring::load(path),
        KeyringSource::Variable(json) => Keyring::from_json(json),
    }
}

/// The keyring that this process works with. Operations on it run one at a time.
pub struct HeldKeyring {
    source: KeyringSource,
    cipher: Arc<RingCipher>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    held: RwLock<Held>,
    at_work: Mutex<()>,
}

#[derive(Clone)]
struct Held {
    keyring: Arc<Keyring>,
    /// When this process made the current master key, and the current fingerprint key, the current one; none
    /// where they were when it started.
    since: [Option<Timestamp>; 2],
}

impl HeldKeyring {
    /// The keyring that was read from `source`, and the cipher that was made of it.
    #[must_use]
    pub fn new(
        source: KeyringSource,
        keyring: Keyring,
        cipher: Arc<RingCipher>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let held = RwLock::new(Held { keyring: Arc::new(keyring), since: [None; 2] });
        Self { source, cipher, entropy, clock, held, at_work: Mutex::new(()) }
    }

    /// Where the keyring came from.
    #[must_use]
    pub const fn source(&self) -> &KeyringSource {
        &self.source
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The right to change the keyring; it ends with the value.
    ///
    /// # Errors
    /// Where another operation has it.
    pub(super) fn begin(&self) -> Result<MutexGuard<'_, ()>, TryLockError> {
        self.at_work.try_lock()
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is held.
    pub(super) fn list(&self) -> Vec<ListedKey> {
        self.held().keyring.list()
    }

    /// The version in use.
    pub(super) fn current(&self, of: KeyUse) -> u32 {
        self.held().keyring.current(of)
    }

    /// Since when the current version has been in use: by this process, or else by what the keyring says.
    pub(super) fn current_since(&self, of: KeyUse) -> Timestamp {
        let held = self.held();
        let created = held.keyring.list().into_iter().find(|key| key.of == of && key.is_current);
        let created = created.map_or(Timestamp::MIN, |key| key.created_at);
        held.since[place(of)].unwrap_or(created)
    }

    /// Reads the source again, and works with what it holds from now on: a file may have been changed by hand,
    /// or by an orchestrator.
    ///
    /// # Errors
    /// Where it can't be read, or does not fit the database.
    pub(super) async fn refresh(&self, store: &dyn Store) -> Result<(), super::NotDone> {
        let keyring = read(&self.source).map_err(super::NotDone::because)?;
        if let Some((of, version)) = keyring.first_difference(&self.held().keyring) {
            return Err(super::NotDone::because(Unfit::Exchanged { of, version }));
        }
        let cipher = RingCipher::new(&keyring).map_err(super::NotDone::because)?;
        fits(&keyring, &cipher, store).await.map_err(super::NotDone::because)?;
        self.install(keyring).map_err(super::NotDone::because)
    }

    /// Works with this keyring from now on.
    pub(super) fn install(&self, keyring: Keyring) -> Result<(), CipherError> {
        self.cipher.install(&keyring)?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for of in KeyUse::ALL {
            if held.keyring.current(*of) != keyring.current(*of) {
                held.since[place(*of)] = Some(self.clock.now());
            }
        }
        held.keyring = Arc::new(keyring);
        Ok(())
    }

    /// The keyring with another version, which is written beside the file; none of the latter where the keyring
    /// is no file that can be exchanged.
    pub(super) fn rotated(&self, of: KeyUse) -> Result<(Keyring, Option<PreparedKeyring>), KeyringError> {
        let next = self.held().keyring.rotated(of, &*self.entropy, self.clock.now())?;
        let prepared = self.prepared(&next)?;
        Ok((next, prepared))
    }

    /// The same without a version.
    pub(super) fn retired(
        &self,
        of: KeyUse,
        version: u32,
    ) -> Result<(Keyring, Option<PreparedKeyring>), KeyringError> {
        let next = self.held().keyring.retired(of, version)?;
        let prepared = self.prepared(&next)?;
        Ok((next, prepared))
    }

    fn prepared(&self, next: &Keyring) -> Result<Option<PreparedKeyring>, KeyringError> {
        let KeyringSource::File(path) = &self.source else { return Ok(None) };
        match next.prepare(path) {
            Ok(prepared) => Ok(Some(prepared)),
            Err(KeyringError::ReadOnly { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

const fn place(of: KeyUse) -> usize {
    match of {
        KeyUse::Master => 0,
        KeyUse::Fingerprint => 1,
    }
}
