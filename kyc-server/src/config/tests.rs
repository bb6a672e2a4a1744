//! Tests of the settings.

mod opinion;
mod providers;

use clap::{CommandFactory, Parser};

use super::*;
use crate::serve::{Origins, Proxies};

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    given: Given,
}

/// What these arguments give, and these variables, which a test can't set in its own process.
fn given(flags: &[&str], variables: &[(&'static str, &str)]) -> Given {
    let mut given = CommandLine::try_parse_from([&["kyc-server"], flags].concat()).unwrap().given;
    for (variable, value) in variables {
        let setting = ALL.iter().find(|setting| setting.variable == *variable).unwrap();
        given.values.entry(setting.key).or_insert((Source::Variable, (*value).into()));
    }
    given
}

fn faults(given: &Given) -> Vec<String> {
    Config::read(given).unwrap_err().as_slice().to_vec()
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kyc.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn development_needs_nothing() {
    let config = Config::read(&given(&["--dev"], &[])).unwrap();
    assert!(config.dev);
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.keyring, KeyringSource::File("./kyc-data/keyring.json".into()));
    assert_eq!(config.admin_key, None);
    assert_eq!(config.providers, [Provider::Sandbox]);
    assert_eq!((config.provider_tries, config.provider_backoff), (4, Duration::from_millis(500)));
    assert_eq!((config.workers, config.minimum_age, config.verifications_per_day), (64, 18, 5));
    assert_eq!((config.decision_validity_days, config.max_connections), (None, 1024));
    assert_eq!((config.log.as_str(), config.log_format), ("info", LogFormat::Auto));
}

#[test]
fn production_tells_everything_that_is_missing_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let faults = faults(&given(&["--data-dir", folder.path().to_str().unwrap()], &[]));
    assert_eq!(faults.len(), 3, "{faults:?}");
    for (fault, words) in faults.iter().zip(["KYC_PROVIDER is", "KYC_ADMIN_KEY is", "keys generate"]) {
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn production_starts_with_a_key_a_keyring_and_a_provider() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keyring.json"), "{}").unwrap();
    let flags = ["--data-dir", folder.path().to_str().unwrap(), "--provider-url", "https://kyc.example.com"];
    let two = format!("{KEY},{KEY}-old");
    let variables = [("KYC_ADMIN_KEY", KEY), ("KYC_PROVIDER", "acme"), ("KYC_PROVIDER_SECRET", &*two)];
    let config = Config::read(&given(&flags, &variables)).unwrap();
    assert_eq!((config.provider_tries, config.provider_backoff), (10, Duration::from_secs(2)));
    let [Provider::Http { name, url, secrets }] = &*config.providers else { panic!("an HTTP provider") };
    assert_eq!((name.as_str(), url.as_str(), secrets.len()), ("acme", "https://kyc.example.com", 2));
}

#[test]
fn every_fault_is_told_at_once_with_its_place() {
    let (_folder, path) = file("workers = \"many\"\nlog_format = 1.5\nminimum_age = 200\ncolour = \"red\"\n");
    let flags = [
        "--dev",
        "--config",
        &path,
        "--listen",
        "nowhere",
        "--max-connections",
        "0",
        "--provider",
        "Acme Inc",
    ];
    let variables = [("KYC_ADMIN_KEY", "short"), ("KYC_ALLOW_SANDBOX", "perhaps"), ("KYC_LOG", "a=b=c")];
    let faults = faults(&given(&flags, &variables));
    for words in [
        "unknown key: colour".to_owned(),
        format!("KYC_LOG_FORMAT, given by log_format in {path}: auto, text or json is expected"),
        "KYC_LISTEN, given by the flag --listen: an address".to_owned(),
        "KYC_ADMIN_KEY, given by the variable: 32 or more".to_owned(),
        "KYC_ALLOW_SANDBOX, given by the variable: true or false".to_owned(),
        "KYC_PROVIDER, given by the flag --provider: names".to_owned(),
        format!("KYC_WORKERS, given by workers in {path}: a whole number from 0 to 4096"),
        format!("KYC_MINIMUM_AGE, given by minimum_age in {path}: a whole number"),
        "KYC_MAX_CONNECTIONS, given by the flag --max-connections: a whole number from 1".to_owned(),
        "KYC_LOG, given by the variable: a filter".to_owned(),
    ] {
        assert_eq!(faults.iter().filter(|fault| fault.contains(&words)).count(), 1, "{words}: {faults:#?}");
    }
    assert_eq!(faults.len(), 10, "{faults:#?}");
}

#[test]
fn a_flag_goes_before_a_variable_and_a_variable_before_the_file() {
    let (_folder, path) = file("workers = 1\nminimum_age = 1\nverifications_per_day = 1\n");
    let flags = ["--dev", "--config", &path, "--workers", "3"];
    let config = Config::read(&given(&flags, &[("KYC_WORKERS", "2"), ("KYC_MINIMUM_AGE", "2")])).unwrap();
    assert_eq!((config.workers, config.minimum_age, config.verifications_per_day), (3, 2, 1));
}

#[test]
fn the_file_takes_text_numbers_booleans_and_lists() {
    let (_folder, path) = file(&format!(
        "allow_sandbox = true\nprovider = \"acme\"\nprovider_url = \"http://localhost:1\"\n\
         provider_secret = [\"{KEY}\", \"{KEY}\"]\ndecision_validity_days = 365\n"
    ));
    let config = Config::read(&given(&["--dev", "--config", &path], &[])).unwrap();
    assert_eq!(config.decision_validity_days, Some(365));
    assert!(matches!(&*config.providers, [Provider::Http { secrets, .. }] if secrets.len() == 2));
}

#[test]
fn the_sandbox_never_stands_in_for_another_provider() {
    let told = |flags: &[&str]| faults(&given(flags, &[])).join("\n");
    assert!(told(&["--provider", "sandbox"]).contains("verifies nobody's identity"));
    // Whoever gives an address meant another provider.
    assert!(
        told(&["--dev", "--provider-url", "https://kyc.example.com"]).contains("KYC_PROVIDER is missing")
    );
    let both = ["--dev", "--provider", "sandbox", "--provider-url", "https://kyc.example.com"];
    assert!(told(&both).contains("the sandbox needs no address"));
    assert!(told(&["--dev", "--provider", "acme,sandbox"]).contains("never stands in"));
    let acme = told(&["--dev", "--provider", "acme"]);
    assert!(acme.contains("KYC_PROVIDER_URL is missing") && acme.contains("KYC_PROVIDER_SECRET is missing"));
}

#[test]
fn the_sandbox_may_be_allowed_without_development() {
    let faults =
        faults(&given(&["--provider", "sandbox", "--admin-key", KEY], &[("KYC_ALLOW_SANDBOX", "true")]));
    assert!(matches!(&*faults, [only] if only.contains("no keyring")), "{faults:?}");
}

#[test]
fn secrets_are_never_shown() {
    const CANARY: &str = "canary";
    let flags =
        ["--admin-key", "canary key with spaces, and long enough", "--provider-secret", "canary-short"];
    let wrong = given(&flags, &[]);
    let shown = format!("{wrong:?} {}", faults(&wrong).join(" "));
    assert!(!shown.contains(CANARY), "{shown}");

    let key = format!("{CANARY}{KEY}");
    let flags = ["--dev", "--provider", "acme", "--provider-url", "https://kyc.example.com"];
    let right =
        Config::read(&given(&flags, &[("KYC_ADMIN_KEY", &key), ("KYC_PROVIDER_SECRET", &key)])).unwrap();
    assert!(!format!("{right:?}").contains(CANARY));

    let (_folder, path) = file("workers = 1\nadmin_key = \"canary\" oops\n");
    let told = faults(&given(&["--dev", "--config", &path], &[])).join(" ");
    assert!(told.contains("is not TOML (line 2)") && !told.contains(CANARY), "{told}");
}

#[test]
fn an_address_that_others_can_reach_needs_tls_here_or_in_front() {
    let told = |flags: &[&str]| match Config::read(&given(&[&["--dev"], flags].concat(), &[])) {
        Ok(_) => String::new(),
        Err(faults) => faults.as_slice().join("\n"),
    };
    for address in ["0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080", "[2001:db8::1]:80", "[::ffff:10.0.0.1]:80"]
    {
        let fault = told(&["--listen", address]);
        assert!(fault.starts_with("KYC_LISTEN, given by the flag --listen: others can reach"), "{fault}");
        assert!(told(&["--listen", address, "--behind-proxy", "false"]).contains("others can reach"));
        assert_eq!(told(&["--listen", address, "--tls-cert", "a", "--tls-key", "b"]), "");
        assert_eq!(told(&["--listen", address, "--behind-proxy", "true"]), "");
        assert_eq!(told(&["--listen", address, "--trusted-proxies", "10.0.0.0/8"]), "");
    }
    for address in ["127.0.0.1:8080", "127.9.9.9:1", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
        assert_eq!(told(&["--listen", address]), "");
    }
}

#[test]
fn how_the_service_meets_the_network_is_read_or_refused_in_words() {
    let read = |flags: &[&str]| Config::read(&given(&[&["--dev"], flags].concat(), &[]));
    assert_eq!(read(&[]).unwrap().exposure, Exposure::default());
    assert_eq!(read(&[]).unwrap().address_rate_limit_per_second, 50);
    let exposure = read(&[
        "--tls-cert",
        "/run/cert.pem",
        "--tls-key",
        "/run/key.pem",
        "--trusted-proxies",
        "10.0.0.1, 2001:db8::/32",
        "--cors-origins",
        "https://app.example.com,http://localhost:5173",
    ]);
    let Exposure { tls, behind_proxy, trusted_proxies, cors_origins } = exposure.unwrap().exposure;
    assert_eq!(tls.unwrap().key, Path::new("/run/key.pem"));
    assert!(behind_proxy, "a trusted proxy is in front");
    assert_eq!(trusted_proxies, Proxies::parse("10.0.0.1,2001:db8::/32").unwrap());
    assert_eq!(cors_origins, Origins::parse("http://localhost:5173,https://app.example.com").unwrap());

    let (_folder, path) = file("trusted_proxies = [\"10.0.0.1\", \"10.0.0.2\"]\nbehind_proxy = true\n");
    let config = read(&["--config", &path]).unwrap();
    assert_eq!(config.exposure.trusted_proxies, Proxies::parse("10.0.0.1,10.0.0.2").unwrap());
    for (flag, value, words) in [
        ("--tls-cert", "cert.pem", "KYC_TLS_KEY is missing"),
        ("--tls-key", "key.pem", "KYC_TLS_CERT is missing"),
        (
            "--trusted-proxies",
            "everyone",
            "KYC_TRUSTED_PROXIES, given by the flag --trusted-proxies: addresses",
        ),
        ("--trusted-proxies", "0.0.0.0/0", "none of which holds every address"),
        ("--cors-origins", "*", "KYC_CORS_ORIGINS, given by the flag --cors-origins: origins as browsers"),
        ("--behind-proxy", "perhaps", "true or false"),
        ("--address-rate-limit-per-second", "-1", "a whole number from 0"),
    ] {
        let faults = read(&[&format!("{flag}={value}")]).unwrap_err();
        assert!(matches!(faults.as_slice(), [only] if only.contains(words)), "{flag}: {faults}");
    }
}

#[test]
fn a_file_that_is_not_there_is_a_fault_beside_the_others() {
    let faults = faults(&given(&["--dev", "--config", "/nowhere/kyc.toml", "--workers", "x"], &[]));
    assert!(faults[0].contains("/nowhere/kyc.toml can't be read"), "{faults:?}");
    assert!(faults[1].contains("KYC_WORKERS"), "{faults:?}");
}

#[test]
fn each_setting_has_one_name_in_three_spellings_and_a_line_in_the_table() {
    let table = markdown();
    for setting in ALL {
        assert_eq!(setting.variable, format!("KYC_{}", setting.key.to_uppercase()));
        assert_eq!(setting.flag, setting.key.replace('_', "-"));
        assert!(
            table.contains(&format!("| `{}` | `--{}` | `{}` |", setting.variable, setting.flag, setting.key))
        );
    }
    assert_eq!(table.lines().count(), ALL.len() + 2);
}

#[test]
fn the_keyring_lies_in_the_data_folder_or_where_it_is_said() {
    let places = |flags: &[&str]| Places(given(flags, &[])).keyring().unwrap();
    assert_eq!(places(&["--data-dir", "/var/kyc"]), KeyringSource::File("/var/kyc/keyring.json".into()));
    let named = places(&["--data-dir", "/var/kyc", "--keyring", "/run/keys"]);
    assert_eq!(named, KeyringSource::File("/run/keys".into()));
}

#[test]
fn the_keyring_may_be_a_variable_and_nothing_else_then_and_is_never_shown() {
    const CANARY: &str = "{\"canary\": 1}";
    let variable = ("KYC_KEYRING_JSON", CANARY);
    let right = given(&["--dev"], &[variable]);
    let config = Config::read(&right).unwrap();
    assert_eq!(config.keyring, KeyringSource::Variable(Secret::new(CANARY.to_owned())));
    assert_eq!(config.keyring.to_string(), "KYC_KEYRING_JSON");
    assert!(!format!("{config:?} {right:?}").contains("canary"));
    // Not beside a file, nor where others could see it.
    let (_folder, path) = file("keyring_json = \"canary\"\n");
    for (flags, variables, words) in [
        (&["--dev", "--keyring", "/run/keys"][..], &[variable][..], "KYC_KEYRING, given by the flag"),
        (
            &["--dev", "--keyring-json", CANARY],
            &[],
            "by the flag --keyring-json: keys are given by the variable",
        ),
        (&["--dev", "--config", &path], &[], "kyc.toml: keys are given by the variable only"),
    ] {
        let told = faults(&given(flags, variables)).join(" ");
        assert!(told.contains(words) && !told.contains("canary"), "{told}");
    }
    let help = CommandLine::command().render_long_help().to_string();
    assert!(help.contains("--keyring ") && !help.contains("keyring-json"), "{help}");
}

#[test]
fn the_readme_has_the_table_of_settings() {
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&markdown()), "put the output of `kyc-server config` into README.md");
}
