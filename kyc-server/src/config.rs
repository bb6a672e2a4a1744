//! The settings of the server: by flag, by `KYC_…` variable, or in a TOML file, in this order of precedence.
//!
//! This is the only file that reads the environment. Nothing starts with a setting that is wrong, and all that
//! is wrong is told at once: which setting, where it was given, and what is expected, never the value.

mod audit;
mod exposure;
mod layers;
mod opinion;
mod providers;
mod settings;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::policy::SecondOpinion;

pub use self::audit::AuditPlaces;
pub use self::exposure::Exposure;
use self::layers::Layers;
pub use self::layers::{ConfigFaults, Source};
use self::providers::secrets;
pub use self::providers::{ONFIDO, OnfidoPlace, OnfidoSettings, Persona, Provider, SANDBOX};
use self::settings::{
    ADDRESS_RATE_LIMIT_PER_SECOND, ADMIN_KEY, DATA_DIR, DECISION_VALIDITY_DAYS, DOCUMENTS_PER_CUSTOMER,
    ERASURE_LEDGER, GIVE_UP_AFTER_HOURS, KEYRING, KEYRING_JSON, LISTEN, LOG, LOG_FORMAT, MAX_CONNECTIONS,
    MINIMUM_AGE, PROVIDER_BACKOFF_MS, PROVIDER_CONCURRENCY, PROVIDER_RATE_PER_MINUTE, PROVIDER_SECRET,
    PROVIDER_TRIES, RATE_LIMIT_PER_SECOND, RETENTION_YEARS, VERIFICATIONS_PER_DAY, WORKERS,
};
pub use self::settings::{ALL, Given, Places, Setting, markdown};
use crate::telemetry::{LogFormat, is_filter};

/// The least length of the operator's admin key, in characters: 128 bits in hexadecimal (OWASP ASVS 5.0.0,
/// 11.5.1).
const MIN_ADMIN_KEY: usize = 32;

/// The settings, all valid. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whether this is for development: what is missing is made.
    pub dev: bool,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// How the service meets the network.
    pub exposure: Exposure,
    /// The folder of the database.
    pub data_dir: PathBuf,
    /// Where the keys are. A file exists, but for development.
    pub keyring: KeyringSource,
    /// The file of the key that signs checkpoints of the audit log.
    pub checkpoint_key: PathBuf,
    /// The folder of the checkpoints.
    pub checkpoint_dir: PathBuf,
    /// The operator's admin key. None only for development, where one is to be made.
    pub admin_key: Option<Secret<String>>,
    /// The identity providers in order of preference, at least one.
    pub providers: Vec<Provider>,
    /// Failed calls of the provider in a row before a person decides.
    pub provider_tries: u32,
    /// The bound of the first pause after a failed call.
    pub provider_backoff: Duration,
    /// Calls of each provider at once; 0 is no limit.
    pub provider_concurrency: u32,
    /// Steps in a minute at each provider; 0 is no limit, and none is what its vendor allows.
    pub provider_rate_per_minute: Option<u32>,
    /// How long a verification may stay open before a person decides.
    pub give_up_after: Duration,
    /// Verifications in flight at once; 0: none are run here.
    pub workers: u32,
    /// Requests of an API key in a second; 0 is no limit.
    pub rate_limit_per_second: u32,
    /// Requests of an address in a second without a valid key; 0 is no limit.
    pub address_rate_limit_per_second: u32,
    /// Verifications of a customer in any 24 hours; 0 is no limit.
    pub verifications_per_day: u32,
    /// The most files that are kept of a customer at once.
    pub documents_per_customer: u32,
    /// The age in full years from which a person is accepted.
    pub minimum_age: u8,
    /// After how many days a verified customer is verified again; none: never.
    pub decision_validity_days: Option<u16>,
    /// Where two providers have to agree.
    pub second_opinion: SecondOpinion,
    /// The years for which a customer's data is kept.
    pub retention_years: u8,
    /// The file in which erasures are noted outside the database.
    pub erasure_ledger: PathBuf,
    /// Open connections at once.
    pub max_connections: usize,
    /// The filter of logs.
    pub log: String,
    /// The form of log lines.
    pub log_format: LogFormat,
}

/// Where the keys are that personal data is sealed and found with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyringSource {
    /// In a file.
    File(PathBuf),
    /// In the variable `KYC_KEYRING_JSON`: the content of such a file.
    Variable(Secret<String>),
}

impl fmt::Display for KeyringSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(_) => f.write_str(KEYRING_JSON.variable),
        }
    }
}

impl Config {
    /// Reads the settings from what was given, and from the file that it names.
    ///
    /// # Errors
    /// Every fault of every setting.
    pub fn read(given: &Given) -> Result<Self, ConfigFaults> {
        let mut layers = Layers::merge(given);
        let dev = given.dev;
        let listen = layers.read(&LISTEN, parse::<SocketAddr>);
        let exposure = Exposure::read(&mut layers, listen);
        let data_dir = layers.read(&DATA_DIR, path);
        let keyring = keyring(&mut layers, data_dir.as_deref());
        let checkpoint_key = audit::checkpoint_key(&mut layers, data_dir.as_deref());
        let checkpoint_dir = audit::checkpoint_dir(&mut layers, data_dir.as_deref());
        let admin_key = layers.read(&ADMIN_KEY, admin_key);
        let providers = providers::read(&mut layers, dev);
        let is_sandbox = matches!(providers.as_deref(), Some([Provider::Sandbox]));
        let (tries, backoff) = if is_sandbox { (4, 500) } else { (10, 2000) };
        let provider_tries = optional(&mut layers, &PROVIDER_TRIES, 1..=1000);
        let provider_backoff = optional(&mut layers, &PROVIDER_BACKOFF_MS, 1..=3_600_000);
        let provider_concurrency = layers.read(&PROVIDER_CONCURRENCY, within(0..=4096));
        let provider_rate_per_minute = optional(&mut layers, &PROVIDER_RATE_PER_MINUTE, 0..=1_000_000);
        let give_up_after_hours = layers.read(&GIVE_UP_AFTER_HOURS, within(1..=8760));
        let workers = layers.read(&WORKERS, within(0..=4096));
        let rate_limit_per_second = layers.read(&RATE_LIMIT_PER_SECOND, within(0..=1_000_000));
        let address_rate_limit_per_second =
            layers.read(&ADDRESS_RATE_LIMIT_PER_SECOND, within(0..=1_000_000));
        let verifications_per_day = layers.read(&VERIFICATIONS_PER_DAY, within(0..=1_000_000));
        let documents_per_customer = layers.read(&DOCUMENTS_PER_CUSTOMER, within(1..=1000));
        let minimum_age = layers.read(&MINIMUM_AGE, within(0..=130));
        let decision_validity_days = optional(&mut layers, &DECISION_VALIDITY_DAYS, 1..=36_500);
        let second_opinion = opinion::read(&mut layers);
        let retention_years = layers.read(&RETENTION_YEARS, within(0..=100));
        let erasure_ledger = erasure_ledger(&mut layers, data_dir.as_deref());
        let max_connections = layers.read(&MAX_CONNECTIONS, within(1..=100_000));
        let log = layers.read(&LOG, |text| is_filter(text).then(|| text.to_owned()));
        let log_format = layers.read(&LOG_FORMAT, log_format);
        if !dev {
            if !layers.has(&ADMIN_KEY) {
                let how =
                    "choose a random one of 32 or more characters, such as `openssl rand -hex 32` makes";
                layers.miss(&ADMIN_KEY, how);
            }
            if let Some(KeyringSource::File(path)) = &keyring
                && !path.is_file()
            {
                layers.faults.add(format!(
                    "there is no keyring at {}: make one with `kyc-server keys generate`, or name another place \
                     with {}",
                    path.display(),
                    KEYRING.variable
                ));
            }
        }
        let config = (|| {
            Some(Self {
                dev,
                listen: listen?,
                exposure,
                data_dir: data_dir?,
                keyring: keyring?,
                checkpoint_key: checkpoint_key?,
                checkpoint_dir: checkpoint_dir?,
                admin_key,
                providers: providers?,
                provider_tries: provider_tries.unwrap_or(tries),
                provider_backoff: Duration::from_millis(provider_backoff.unwrap_or(backoff)),
                provider_concurrency: provider_concurrency?,
                provider_rate_per_minute,
                give_up_after: Duration::from_hours(give_up_after_hours?),
                workers: workers?,
                rate_limit_per_second: rate_limit_per_second?,
                address_rate_limit_per_second: address_rate_limit_per_second?,
                verifications_per_day: verifications_per_day?,
                documents_per_customer: documents_per_customer?,
                minimum_age: minimum_age?,
                decision_validity_days,
                second_opinion,
                retention_years: retention_years?,
                erasure_ledger: erasure_ledger?,
                max_connections: max_connections?,
                log: log?,
                log_format: log_format?,
            })
        })();
        // Whatever is missing has its fault, so one of the two is there.
        config.filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }
}

impl Places {
    /// The data folder.
    ///
    /// # Errors
    /// What is wrong with the settings that say where it is.
    pub fn data_dir(&self) -> Result<PathBuf, ConfigFaults> {
        let mut layers = Layers::merge(&self.0);
        let data_dir = layers.read(&DATA_DIR, path);
        data_dir.filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }

    /// Where the keys are. A file may not exist yet.
    ///
    /// # Errors
    /// What is wrong with the settings that say where they are.
    pub fn keyring(&self) -> Result<KeyringSource, ConfigFaults> {
        let mut layers = Layers::merge(&self.0);
        let data_dir = layers.read(&DATA_DIR, path);
        let keyring = keyring(&mut layers, data_dir.as_deref());
        keyring.filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }

    /// The file in which erasures are noted outside the database.
    ///
    /// # Errors
    /// What is wrong with the settings that say where it is.
    pub fn erasure_ledger(&self) -> Result<PathBuf, ConfigFaults> {
        let mut layers = Layers::merge(&self.0);
        let data_dir = layers.read(&DATA_DIR, path);
        let ledger = erasure_ledger(&mut layers, data_dir.as_deref());
        ledger.filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }

    /// The years for which a customer's data is kept.
    ///
    /// # Errors
    /// What is wrong with the setting.
    pub fn retention_years(&self) -> Result<u8, ConfigFaults> {
        let mut layers = Layers::merge(&self.0);
        let years = layers.read(&RETENTION_YEARS, within(0..=100));
        years.filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }
}

fn erasure_ledger(layers: &mut Layers, data_dir: Option<&Path>) -> Option<PathBuf> {
    if layers.has(&ERASURE_LEDGER) {
        return layers.read(&ERASURE_LEDGER, path);
    }
    data_dir.map(|folder| folder.join("erasures.ndjson"))
}

fn keyring(layers: &mut Layers, data_dir: Option<&Path>) -> Option<KeyringSource> {
    if layers.has(&KEYRING_JSON) {
        if layers.source(&KEYRING_JSON) != Some(&Source::Variable) {
            let reason =
                "keys are given by the variable only, or in a file of their own that KYC_KEYRING names";
            layers.refuse_given(&KEYRING_JSON, reason);
        }
        layers.refuse_given(&KEYRING, "KYC_KEYRING_JSON is given too; give one of them");
        return layers
            .read(&KEYRING_JSON, |text| Some(KeyringSource::Variable(Secret::new(text.to_owned()))));
    }
    if layers.has(&KEYRING) {
        return layers.read(&KEYRING, path).map(KeyringSource::File);
    }
    data_dir.map(|folder| KeyringSource::File(folder.join("keyring.json")))
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

fn within<T: FromStr + PartialOrd>(range: RangeInclusive<T>) -> impl FnOnce(&str) -> Option<T> {
    move |text| parse(text).filter(|value| range.contains(value))
}

fn optional<T: FromStr + PartialOrd>(
    layers: &mut Layers,
    setting: &Setting,
    range: RangeInclusive<T>,
) -> Option<T> {
    layers.read(setting, within(range))
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn admin_key(text: &str) -> Option<Secret<String>> {
    let well_formed = text.len() >= MIN_ADMIN_KEY && text.bytes().all(|b| b.is_ascii_graphic());
    well_formed.then(|| Secret::new(text.to_owned()))
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "auto" => Some(LogFormat::Auto),
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// What the command `sandbox` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxGiven {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8181")]
    pub listen: SocketAddr,
    // Read later: the error of a value that clap refuses shows the value.
    /// Secret shared with those who ask: 32 or more bytes, or two with a comma between them
    #[arg(long, value_name = "VALUE", env = "KYC_PROVIDER_SECRET", hide_env_values = true, value_parser = unread)]
    secret: Option<Secret<String>>,
}

#[expect(clippy::unnecessary_wraps, reason = "the signature is clap's")]
fn unread(text: &str) -> Result<Secret<String>, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

impl SandboxGiven {
    /// The secrets that sign.
    ///
    /// # Errors
    /// Where none was given, or one is too short.
    pub fn secrets(&self) -> Result<Vec<Secret<Vec<u8>>>, ConfigFaults> {
        let given = self.secret.as_ref().and_then(|text| secrets(text.expose()));
        given.ok_or_else(|| {
            let mut faults = ConfigFaults::default();
            faults.add(format!("{} (by --secret): {}", PROVIDER_SECRET.variable, PROVIDER_SECRET.expected));
            faults
        })
    }
}
