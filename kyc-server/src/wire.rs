//! The composition root: the one place that names adapters.

mod front;
mod providers;

use std::io;
use std::path::Path;
use std::sync::Arc;

use kyc_adapters::checkpoint::CheckpointError;
use kyc_adapters::cipher::{Keyring, KeyringError, RingCipher};
use kyc_adapters::clock::SystemClock;
use kyc_adapters::entropy::SystemEntropy;
use kyc_adapters::ledger::FileLedger;
use kyc_adapters::provider::{ConfigError, SecretsError};
use kyc_adapters::sqlite::{OpenError, SqliteConfig, SqliteStore};
use kyc_core::domain::actor::Actor;
use kyc_core::domain::checkpoint::Checkpoint;
use kyc_core::domain::contact::PhoneNumber;
use kyc_core::domain::fault::Invalid;
use kyc_core::domain::ids::{ProviderName, SubjectId};
use kyc_core::domain::policy::Policy;
use kyc_core::domain::schedule::RetryPolicy;
use kyc_core::ports::cipher::CipherError;
use kyc_core::ports::entropy::NoEntropy;
use kyc_core::ports::store::{AuditReads, StoreError};
use kyc_core::ports::{Clock, Entropy, ErasureLedger};
use kyc_core::usecase::chain::{ChainError, walk_all};
use kyc_core::usecase::{Ports, Providers, ReplayError};
use kyc_core::{Kyc, Secret};
use tokio::net::UnixStream;

use crate::api::auth::BootstrapKey;
use crate::api::limits::Rates;
use crate::checkpoints::Checkpoints;
use crate::config::{Config, ConfigFaults, KeyringSource, Places};
use crate::operator::keyring::{self, HeldKeyring, Unfit};
use crate::operator::{NoProvider, Tools};
use crate::retention::replay;
use crate::serve::TlsError;
use crate::service::Parts;
use crate::worker::WorkerSettings;

/// What a configuration comes to.
pub struct Wired {
    /// The parts of the service.
    pub parts: Parts,
    /// The store, to be closed after the service.
    pub store: Arc<SqliteStore>,
    /// The keyring, for commands that change it.
    pub keyring: Arc<HeldKeyring>,
    /// The admin key, where one was made for development.
    pub made_key: Option<Secret<String>>,
}

/// Why a service could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The keyring.
    #[error("the keyring {source_named}: {error}")]
    Keyring {
        /// The file, or the variable.
        source_named: String,
        /// What is wrong with it.
        error: KeyringError,
    },
    /// The keyring does not fit the database.
    #[error("the keyring {source_named}: {error}")]
    Unfit {
        /// The file, or the variable.
        source_named: String,
        /// What does not fit.
        error: Unfit,
    },
    /// The settings of a command.
    #[error(transparent)]
    Settings(#[from] ConfigFaults),
    /// The cipher.
    #[error("the cipher can't be made: {0}")]
    Cipher(#[from] CipherError),
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The key or the folder of the checkpoints.
    #[error("the checkpoints of the audit log: {0}")]
    Checkpoints(#[from] CheckpointError),
    /// The database is not the one that was signed.
    #[error(
        "the audit log is not as it was committed, or not what was signed in {folder}: {error}. Bring back \
         the newest database; `kyc-server audit verify --checkpoints {folder}` looks closer. To serve this one all \
         the same, move the checkpoints to a safe place first: they are the evidence"
    )]
    AuditLog {
        /// The folder of the checkpoints.
        folder: String,
        /// What is wrong.
        error: ChainError,
    },
    /// Rows were deleted by hand.
    #[error(
        "the audit log tells of the person {subject}, and something of that person is gone which was not erased: \
         bring back the newest database"
    )]
    Missing {
        /// The person, as audit events have it.
        subject: SubjectId,
    },
    /// The database can't be read.
    #[error(transparent)]
    Read(StoreError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No provider.
    #[error("the settings name no identity provider")]
    NoProvider,
    /// The provider's settings.
    #[error("the provider's settings: {0}")]
    Provider(#[from] ConfigError),
    /// The provider's secrets.
    #[error("the provider's secrets: {0}")]
    Secrets(#[from] SecretsError),
    /// The sandbox.
    #[error("the sandbox can't listen: {0}")]
    Sandbox(io::Error),
    /// The erasure ledger.
    #[error("the erasure ledger {path}: {error}")]
    Ledger {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The erasure ledger against the database.
    #[error("the erasure ledger can't be compared with the database: {0}")]
    Replay(#[from] ReplayError),
    /// The data folder.
    #[error("the data folder can't be made: {0}")]
    Folder(io::Error),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A name.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Builds what a configuration asks for. `store` is given the folder, so that a test can open it otherwise.
///
/// # Errors
/// [`WireError`] says in words what stands in the way.
pub async fn wire(
    config: &Config,
    store: impl FnOnce(SqliteConfig) -> SqliteConfig + Send + 'static,
) -> Result<Wired, WireError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());

    let front = front::front(config)?;

    // The metadata of phone numbers takes a moment to load, for which no customer should wait.
    drop(tokio::task::spawn_blocking(|| PhoneNumber::parse("+442079460958")));
    make_private_folder(&config.data_dir).map_err(WireError::Folder)?;
    if let KeyringSource::File(path) = &config.keyring
        && config.dev
        && !path.exists()
    {
        let created = Keyring::create(path, &*entropy, clock.now());
        created.map_err(|error| keyring_error(&config.keyring, error))?;
    }
    let (keyring, cipher) = keys(&config.keyring)?;
    let store = open(store(SqliteConfig::new(&config.data_dir))).await?;
    let checkpoints = checkpoints(config, &*store).await?;
    if let Some(subject) = store.missing().await.map_err(WireError::Read)? {
        return Err(WireError::Missing { subject });
    }
    let source = config.keyring.clone();
    let keyring = held(source, keyring, &cipher, &store, &entropy, &clock).await?;
    let providers = providers::providers(config, &*entropy, &clock).await?;
    if config.second_opinion.is_asked_for() && config.providers.len() < 2 {
        tracing::warn!("second opinions are asked for, and there is one provider: a person decides instead");
    }

    let made_key = match &config.admin_key {
        Some(_) => None,
        None => Some(BootstrapKey::generate(&*entropy)?),
    };
    let admin_key = config.admin_key.clone().or_else(|| made_key.clone()).ok_or(NoEntropy)?;
    let ports = Ports { store: Arc::clone(&store) as _, providers, clock, cipher, entropy };
    let service = Parts {
        ports,
        policy: policy(config),
        bootstrap: BootstrapKey::new(&admin_key, "bootstrap")?,
        rates: Rates { key: config.rate_limit_per_second, address: config.address_rate_limit_per_second },
        workers: (config.workers > 0).then(|| WorkerSettings::new(config.workers)),
        checkpoints: Some(checkpoints),
        front,
        ledger: Some(ledger(&config.erasure_ledger)?),
    };
    Ok(Wired { parts: service, store, keyring, made_key })
}

async fn open(config: SqliteConfig) -> Result<Arc<SqliteStore>, WireError> {
    // Opening reads the whole file, which is no work for an async thread.
    let store = tokio::task::spawn_blocking(move || SqliteStore::open(config)).await;
    Ok(Arc::new(store.map_err(|error| WireError::Folder(io::Error::other(error)))??))
}

/// What signs checkpoints, once the whole log was walked and held against the newest: a database that was
/// edited, cut or put back from an older copy is not served. It takes about a second and a half for a million
/// events, as the check of the pages does that comes before it.
async fn checkpoints(config: &Config, reads: &dyn AuditReads) -> Result<Checkpoints, WireError> {
    let (kept, newest) =
        kyc_adapters::checkpoint::Checkpoints::open(&config.checkpoint_key, &config.checkpoint_dir)?;
    let folder = || config.checkpoint_dir.display().to_string();
    let is_signed = newest.is_some();
    let walk = walk_all(reads, newest.into_iter().collect(), |_, _| {})
        .await
        .map_err(|error| WireError::AuditLog { folder: folder(), error })?;
    if !is_signed && walk.sequence() > 0 {
        let folder = folder();
        tracing::warn!(
            folder,
            "the audit log has events and no checkpoint: what came before is not vouched for"
        );
    }
    let keep = move |checkpoint: &Checkpoint| kept.keep(checkpoint).map_err(|error| error.to_string());
    Ok(Checkpoints::after(walk, Arc::new(keep)))
}

/// What a command works with where no server runs.
pub struct Alone {
    /// What its operation works with.
    pub tools: Tools,
    /// The store, to be closed after the operation.
    pub store: Arc<SqliteStore>,
    /// Who asks: the user whose process this is.
    pub actor: Actor,
}

/// Takes the lock on a data folder, for a command that works by itself.
///
/// # Errors
/// [`WireError`] says in words what stands in the way.
pub async fn alone(places: &Places) -> Result<Alone, WireError> {
    let folder = places.data_dir()?;
    let source = places.keyring()?;
    let (keyring, cipher) = keys(&source)?;
    make_private_folder(&folder).map_err(WireError::Folder)?;
    let store = open(SqliteConfig::new(&folder)).await?;
    let (entropy, clock): (Arc<dyn Entropy>, Arc<dyn Clock>) =
        (Arc::new(SystemEntropy::new()), Arc::new(SystemClock));
    let keyring = held(source, keyring, &cipher, &store, &entropy, &clock).await?;
    let ports = Ports {
        store: Arc::clone(&store) as _,
        providers: Providers::one(Arc::new(NoProvider(ProviderName::parse("none")?))),
        clock,
        cipher,
        entropy,
    };
    let actor = Actor::operator(own_user().map_err(WireError::Folder)?);
    let policy = Policy { retention_years: places.retention_years()?, ..Policy::default() };
    let kyc = Kyc::new(ports, policy).with_erasure_ledger(ledger(&places.erasure_ledger()?)?);
    replay(&kyc).await?;
    Ok(Alone { tools: Tools { kyc, store: Arc::clone(&store) as _, keyring }, store, actor })
}

/// The user whose process this is, as the other end of a socket would see it.
fn own_user() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    one.peer_cred().map(|credentials| credentials.uid())
}

/// Opened only by the process that has the lock on the data folder.
fn ledger(path: &Path) -> Result<Arc<dyn ErasureLedger>, WireError> {
    let opened = FileLedger::open(path);
    let ledger = opened.map_err(|error| WireError::Ledger { path: path.display().to_string(), error })?;
    Ok(Arc::new(ledger))
}

fn policy(config: &Config) -> Policy {
    Policy {
        retention_years: config.retention_years,
        minimum_age: config.minimum_age,
        verifications_per_day: config.verifications_per_day,
        documents_per_customer: config.documents_per_customer,
        decision_validity_days: config.decision_validity_days,
        second_opinion: config.second_opinion.clone(),
        retry: RetryPolicy {
            tries: config.provider_tries,
            base: config.provider_backoff,
            give_up_after: config.give_up_after,
            ..RetryPolicy::default()
        },
        ..Policy::default()
    }
}

fn keys(source: &KeyringSource) -> Result<(Keyring, Arc<RingCipher>), WireError> {
    let keyring = keyring::read(source).map_err(|error| keyring_error(source, error))?;
    let cipher = Arc::new(RingCipher::new(&keyring)?);
    Ok((keyring, cipher))
}

fn keyring_error(source: &KeyringSource, error: KeyringError) -> WireError {
    WireError::Keyring { source_named: source.to_string(), error }
}

/// The keyring, where it fits the database: a service that could not read what it has starts not at all.
async fn held(
    source: KeyringSource,
    keyring: Keyring,
    cipher: &Arc<RingCipher>,
    store: &SqliteStore,
    entropy: &Arc<dyn Entropy>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<HeldKeyring>, WireError> {
    if let Err(error) = keyring::fits(&keyring, cipher, store).await {
        // The next start need not clear up after this one.
        store.close().await;
        return Err(WireError::Unfit { source_named: source.to_string(), error });
    }
    let (cipher, entropy, clock) = (Arc::clone(cipher), Arc::clone(entropy), Arc::clone(clock));
    Ok(Arc::new(HeldKeyring::new(source, keyring, cipher, entropy, clock)))
}

/// Makes a folder that only its owner may enter, where it is missing.
///
/// # Errors
/// Where it can't be made.
#[cfg(unix)]
pub fn make_private_folder(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
