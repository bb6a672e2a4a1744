//! The one table of settings: the command line, the environment, the file, the help and the README's table all
//! come from it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{self, Write};
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::layers::Source;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key in the file.
    pub key: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// What is expected of a value.
    pub expected: &'static str,
    /// The default, where it is a value.
    pub default: Option<&'static str>,
    /// The default in words, where it is none.
    pub otherwise: &'static str,
}

/// Declares the settings, and [`ALL`] of them in the order of the README's table.
macro_rules! settings {
    ($($name:ident = $key:literal, $variable:literal, $flag:literal, default $default:expr, $otherwise:literal,
        $meaning:literal, $expected:literal;)*) => {
        $(
            pub(super) const $name: Setting = Setting {
                key: $key,
                variable: $variable,
                flag: $flag,
                meaning: $meaning,
                expected: $expected,
                default: $default,
                otherwise: $otherwise,
            };
        )*

        /// Every setting.
        pub const ALL: &[Setting] = &[$($name),*];
    };
}

settings! {
    LISTEN = "listen", "KYC_LISTEN", "listen", default Some("127.0.0.1:8080"), "",
        "Address to listen on", "an address and port such as 127.0.0.1:8080 is expected";
    TLS_CERT = "tls_cert", "KYC_TLS_CERT", "tls-cert", default None, "none: no TLS",
        "File of the TLS certificate and its chain, in PEM; SIGHUP has it read again",
        "the path of a file is expected";
    TLS_KEY = "tls_key", "KYC_TLS_KEY", "tls-key", default None, "none: no TLS",
        "File of the certificate's private key, in PEM, which only its owner may read",
        "the path of a file is expected";
    BEHIND_PROXY = "behind_proxy", "KYC_BEHIND_PROXY", "behind-proxy", default Some("false"), "",
        "Says that a proxy which speaks TLS with the clients is in front", "true or false is expected";
    TRUSTED_PROXIES = "trusted_proxies", "KYC_TRUSTED_PROXIES", "trusted-proxies", default None, "none",
        "Addresses of proxies whose `X-Forwarded-For` is believed, by commas; implies `KYC_BEHIND_PROXY`",
        "addresses or ranges such as 10.0.0.0/8, by commas, none of which holds every address, are expected";
    CORS_ORIGINS = "cors_origins", "KYC_CORS_ORIGINS", "cors-origins", default None, "none",
        "Origins whose pages may use the API from a browser, by commas",
        "origins as browsers send them, such as https://app.example.com, by commas are expected: no wildcard, \
         path, upper case or port that the scheme has anyway";
    DATA_DIR = "data_dir", "KYC_DATA_DIR", "data-dir", default Some("./kyc-data"), "",
        "Folder of the database and the keyring", "the path of a folder is expected";
    KEYRING = "keyring", "KYC_KEYRING", "keyring", default None, "`keyring.json` in the data folder",
        "File of the master keys; `kyc-server keys generate` makes one", "the path of a file is expected";
    KEYRING_JSON = "keyring_json", "KYC_KEYRING_JSON", "keyring-json", default None, "none",
        "The keyring itself, in place of a file, for those who run containers (secret: by the variable only)",
        "the content of a keyring is expected";
    CHECKPOINT_KEY = "checkpoint_key", "KYC_CHECKPOINT_KEY", "checkpoint-key", default None,
        "`checkpoint.key` in the data folder",
        "File of the key that signs checkpoints of the audit log; made where it is missing",
        "the path of a file is expected";
    CHECKPOINT_DIR = "checkpoint_dir", "KYC_CHECKPOINT_DIR", "checkpoint-dir", default None,
        "`checkpoints` in the data folder",
        "Folder of the checkpoints of the audit log; it shows most on another disk",
        "the path of a folder is expected";
    ADMIN_KEY = "admin_key", "KYC_ADMIN_KEY", "admin-key", default None, "none; `--dev` makes one",
        "Admin API key that the operator chooses (secret: prefer the variable or the file)",
        "32 or more printable ASCII characters without spaces are expected";
    RATE_LIMIT_PER_SECOND = "rate_limit_per_second", "KYC_RATE_LIMIT_PER_SECOND", "rate-limit-per-second",
        default Some("50"), "", "Requests of an API key in a second, twice that at once; 0 is no limit",
        "a whole number from 0 to 1000000 is expected";
    ADDRESS_RATE_LIMIT_PER_SECOND = "address_rate_limit_per_second", "KYC_ADDRESS_RATE_LIMIT_PER_SECOND",
        "address-rate-limit-per-second", default Some("50"), "",
        "Requests without a valid key of an address in a second, twice that at once; 0 is no limit",
        "a whole number from 0 to 1000000 is expected";
    VERIFICATIONS_PER_DAY = "verifications_per_day", "KYC_VERIFICATIONS_PER_DAY", "verifications-per-day",
        default Some("5"), "", "Verifications of a customer in any 24 hours; 0 is no limit",
        "a whole number from 0 to 1000000 is expected";
    DOCUMENTS_PER_CUSTOMER = "documents_per_customer", "KYC_DOCUMENTS_PER_CUSTOMER", "documents-per-customer",
        default Some("20"), "", "Files that are kept of a customer at once",
        "a whole number from 1 to 1000 is expected";
    PROVIDER = "provider", "KYC_PROVIDER", "provider", default None, "none; `--dev`: `sandbox`",
        "Identity providers in order of preference, by commas: `onfido`, `persona`, and the name of one that is reached \
         over HTTP; or `sandbox` alone",
        "names of 1 to 32 of a-z 0-9 _ - are expected, by commas";
    PROVIDER_URL = "provider_url", "KYC_PROVIDER_URL", "provider-url", default None, "none",
        "Address of the HTTP provider", "an address such as https://kyc.example.com is expected";
    PROVIDER_SECRET = "provider_secret", "KYC_PROVIDER_SECRET", "provider-secret", default None, "none",
        "Secret shared with the HTTP provider; while it is changed, the new one and the old one, by a comma \
         (secret: prefer the variable or the file)",
        "one secret, or two with a comma between them, of 32 or more bytes each is expected";
    ONFIDO_TOKEN = "onfido_token", "KYC_ONFIDO_TOKEN", "onfido-token", default None, "none",
        "API token of the account at Onfido (secret: prefer the variable or the file)",
        "a token of 1 to 512 visible characters of ASCII is expected";
    ONFIDO_REGION = "onfido_region", "KYC_ONFIDO_REGION", "onfido-region", default None, "none",
        "Region of the account at Onfido", "eu, us or ca is expected";
    ONFIDO_URL = "onfido_url", "KYC_ONFIDO_URL", "onfido-url", default None, "the region's",
        "Another address of Onfido's API, such as a proxy's, with its `/v3.6`",
        "an address such as https://onfido.example.com/v3.6 is expected";
    ONFIDO_WEBHOOK_TOKEN = "onfido_webhook_token", "KYC_ONFIDO_WEBHOOK_TOKEN", "onfido-webhook-token",
        default None, "none: results by polling",
        "Token of the webhook at Onfido; while it is replaced, the new one and the old one, by a comma (secret: \
         prefer the variable or the file)",
        "one token, or two with a comma between them, of 16 to 512 bytes each is expected";
    PERSONA_KEY = "persona_key", "KYC_PERSONA_KEY", "persona-key", default None, "none",
        "API key of Persona, where `persona` is a provider (secret: prefer the variable or the file)",
        "an API key of 1 to 512 visible characters of ASCII is expected";
    PERSONA_TEMPLATE = "persona_template", "KYC_PERSONA_TEMPLATE", "persona-template", default None, "none",
        "Template of Persona's inquiries", "an id that begins with itmpl_, itmplv_ or tmpl_ is expected";
    PERSONA_URL = "persona_url", "KYC_PERSONA_URL", "persona-url", default None, "Persona's own",
        "Another address of Persona's API, up to and with `/api/v1`",
        "an address such as https://persona-proxy.example.com/api/v1 is expected";
    PERSONA_WEBHOOK_SECRET = "persona_webhook_secret", "KYC_PERSONA_WEBHOOK_SECRET", "persona-webhook-secret",
        default None, "none: no callbacks",
        "Secret of Persona's webhook; while it is rotated, the new one and the old one, by a comma (secret: prefer \
         the variable or the file)",
        "one secret, or two with a comma between them, of 16 to 512 bytes each is expected";
    ALLOW_SANDBOX = "allow_sandbox", "KYC_ALLOW_SANDBOX", "allow-sandbox", default Some("false"), "",
        "Lets the sandbox, which verifies nobody's identity, be the provider without `--dev`",
        "true or false is expected";
    WORKERS = "workers", "KYC_WORKERS", "workers", default Some("64"), "",
        "Verifications in flight at once; 0: this process runs none",
        "a whole number from 0 to 4096 is expected";
    LOG = "log", "KYC_LOG", "log", default Some("info"), "",
        "What is logged, as a filter of `tracing`", "a filter such as info or kyc_server=debug,info is expected";
    LOG_FORMAT = "log_format", "KYC_LOG_FORMAT", "log-format", default Some("auto"), "",
        "Form of log lines: `text`, `json`, or `auto`: text on a terminal, else JSON",
        "auto, text or json is expected";
    PROVIDER_TRIES = "provider_tries", "KYC_PROVIDER_TRIES", "provider-tries", default None,
        "10; with the sandbox 4", "Failed calls of the provider in a row before a person decides",
        "a whole number from 1 to 1000 is expected";
    PROVIDER_BACKOFF_MS = "provider_backoff_ms", "KYC_PROVIDER_BACKOFF_MS", "provider-backoff-ms", default None,
        "2000; with the sandbox 500",
        "Bound of the first pause after a failed call, in milliseconds; it doubles with each failure",
        "a whole number from 1 to 3600000 is expected";
    PROVIDER_CONCURRENCY = "provider_concurrency", "KYC_PROVIDER_CONCURRENCY", "provider-concurrency",
        default Some("0"), "", "Calls of each provider at once; 0 is no limit but the workers",
        "a whole number from 0 to 4096 is expected";
    PROVIDER_RATE_PER_MINUTE = "provider_rate_per_minute", "KYC_PROVIDER_RATE_PER_MINUTE",
        "provider-rate-per-minute", default None, "as its vendor allows; else no limit",
        "Steps of verifications in a minute at each provider, of which two seconds' worth may come at once; 0 is no \
         limit", "a whole number from 0 to 1000000 is expected";
    GIVE_UP_AFTER_HOURS = "give_up_after_hours", "KYC_GIVE_UP_AFTER_HOURS", "give-up-after-hours",
        default Some("72"), "",
        "Hours after which a verification that has not ended is given up, and a person decides",
        "a whole number from 1 to 8760 is expected";
    MINIMUM_AGE = "minimum_age", "KYC_MINIMUM_AGE", "minimum-age", default Some("18"), "",
        "Age in full years from which a person is accepted", "a whole number from 0 to 130 is expected";
    DECISION_VALIDITY_DAYS = "decision_validity_days", "KYC_DECISION_VALIDITY_DAYS", "decision-validity-days",
        default None, "for ever", "Days after which a verified customer is verified again",
        "a whole number from 1 to 36500 is expected";
    SECOND_OPINION_COUNTRIES = "second_opinion_countries", "KYC_SECOND_OPINION_COUNTRIES",
        "second-opinion-countries", default None, "none",
        "Countries whose documents take two providers that agree, by commas; where they do not, a person decides",
        "countries as two capitals of ISO 3166-1, such as GB,FR, by commas are expected";
    SECOND_OPINION_DOCUMENT_TYPES = "second_opinion_document_types", "KYC_SECOND_OPINION_DOCUMENT_TYPES",
        "second-opinion-document-types", default None, "none",
        "Types of document that take two providers that agree, by commas",
        "passport, driving_licence, national_id or residence_permit, by commas, are expected";
    RETENTION_YEARS = "retention_years", "KYC_RETENTION_YEARS", "retention-years", default Some("5"), "",
        "Years for which a customer's data is kept after the end of the relationship or the last decision",
        "a whole number from 0 to 100 is expected";
    ERASURE_LEDGER = "erasure_ledger", "KYC_ERASURE_LEDGER", "erasure-ledger", default None,
        "`erasures.ndjson` in the data folder",
        "File in which erasures outlive a restore of the database; keep it where no restore reaches it",
        "the path of a file is expected";
    MAX_CONNECTIONS = "max_connections", "KYC_MAX_CONNECTIONS", "max-connections", default Some("1024"), "",
        "Open connections at once; further ones wait", "a whole number from 1 to 100000 is expected";
}

/// The settings of a command that works on the data by itself: where it is, and how long it is kept.
const PLACES: &[Setting] = &[DATA_DIR, KEYRING, KEYRING_JSON, RETENTION_YEARS, ERASURE_LEDGER];

impl Setting {
    fn argument(&self) -> Arg {
        let default = self.default.map_or_else(|| self.otherwise.to_owned(), str::to_owned);
        Arg::new(self.key)
            .long(self.flag)
            .env(self.variable)
            // The help would else print keys that are set.
            .hide_env_values(true)
            // On a command line every user of the machine would see it.
            .hide(*self == KEYRING_JSON)
            .value_name("VALUE")
            .value_parser(value_parser!(OsString))
            .help(format!("{} [default: {}]", self.meaning, default.replace('`', "")))
    }
}

/// The settings as a table in Markdown, for the README.
#[must_use]
pub fn markdown() -> String {
    let mut table = String::from(
        "| variable | flag | in the file | meaning | default |\n| --- | --- | --- | --- | --- |\n",
    );
    for setting in ALL {
        let default =
            setting.default.map_or_else(|| setting.otherwise.to_owned(), |value| format!("`{value}`"));
        let Setting { key, variable, flag, meaning, .. } = setting;
        // Writing to a string can't fail.
        _ = writeln!(table, "| `{variable}` | `--{flag}` | `{key}` | {meaning} | {default} |");
    }
    table
}

/// What the command line and the environment give, unread: all faults are to be told at once, so nothing is
/// refused on the way. An empty variable counts as not given.
#[derive(Clone, Default)]
pub struct Given {
    /// Whether development defaults are asked for.
    pub dev: bool,
    pub(super) file: Option<PathBuf>,
    pub(super) values: BTreeMap<&'static str, (Source, OsString)>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dev, file, values } = self;
        f.debug_struct("Given").field("dev", dev).field("file", file).field("values", &values.keys()).finish()
    }
}

/// Where the data and the keys are, for commands that need little else.
#[derive(Debug, Clone, Default)]
pub struct Places(pub(super) Given);

pub(super) fn arguments(command: Command, settings: &[Setting]) -> Command {
    let file = Arg::new("config")
        .long("config")
        .env("KYC_CONFIG")
        .hide_env_values(true)
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("TOML file of settings; flags and variables take precedence over it");
    command.arg(file).args(settings.iter().map(Setting::argument))
}

pub(super) fn given(matches: &ArgMatches, settings: &'static [Setting]) -> Given {
    let mut given = Given { file: matches.get_one::<PathBuf>("config").cloned(), ..Given::default() };
    given.file = given.file.filter(|path| !path.as_os_str().is_empty());
    for setting in settings {
        let Some(value) = matches.get_one::<OsString>(setting.key) else { continue };
        let by_flag = matches.value_source(setting.key) == Some(ValueSource::CommandLine);
        let source = if by_flag { Source::Flag } else { Source::Variable };
        if by_flag || !value.is_empty() {
            given.values.insert(setting.key, (source, value.clone()));
        }
    }
    given
}

impl Args for Given {
    fn augment_args(command: Command) -> Command {
        let dev = Arg::new("dev").long("dev").action(ArgAction::SetTrue).help(
            "For development: the sandbox as provider, and an admin key and a keyring made where there is none",
        );
        arguments(command.arg(dev), ALL)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { dev: matches.get_flag("dev"), ..given(matches, ALL) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Places {
    fn augment_args(command: Command) -> Command {
        arguments(command, PLACES)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Places {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, PLACES)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
