//! What each command does.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser;
use kyc_adapters::cipher::Keyring;
use kyc_adapters::clock::SystemClock;
use kyc_adapters::entropy::SystemEntropy;
use kyc_adapters::provider::SigningKeys;
use kyc_adapters::sandbox::Sandbox;
use kyc_adapters::sqlite::SqliteConfig;
use kyc_core::Secret;
use kyc_core::ports::Clock;
use tokio::net::TcpListener;

use crate::cli::{ApiKeysCommand, AuditCommand, Cli, Command, KeysCommand, RetentionCommand};
use crate::config::{Config, Given, KeyringSource, Places, SandboxGiven, markdown};
use crate::operator::socket::Operators;
use crate::operator::{NotDone, Operation, Progress, audit, execute, socket};
use crate::progress::Meter;
use crate::service::Service;
use crate::shutdown::asked_to_stop;
use crate::telemetry::{self, LogFormat};
use crate::wire::{Alone, Wired, alone, make_private_folder, wire};
use crate::{api, config, retention};

/// Runs a command to its end. What stands in its way is told on stderr, in words.
#[must_use]
pub fn run(command: Command) -> ExitCode {
    run_with(command, |sqlite| sqlite)
}

/// Reads a command line and runs it, with the store opened as `store` says. No setting reaches that: it is for
/// a program of tests.
#[must_use]
pub fn run_line(
    line: impl IntoIterator<Item = OsString>,
    store: impl FnOnce(SqliteConfig) -> SqliteConfig + Send + 'static,
) -> ExitCode {
    run_with(Cli::parse_from(line).command, store)
}

fn run_with(command: Command, store: impl FnOnce(SqliteConfig) -> SqliteConfig + Send + 'static) -> ExitCode {
    let done = match command {
        Command::Serve(given) => in_runtime(serve(given, store)),
        Command::Openapi => print(&api::document_text()),
        Command::Config => print(&markdown()),
        Command::Sandbox(given) => in_runtime(sandbox(given)),
        Command::Keys(KeysCommand::Generate(places)) => generate(&places),
        Command::Keys(KeysCommand::List(places)) => operate(&places, Operation::ListKeys, ""),
        Command::Keys(KeysCommand::Rotate { fingerprint, places }) => {
            operate(&places, Operation::RotateKey { fingerprint }, "customers are under the new key")
        }
        Command::Keys(KeysCommand::Retire { version, fingerprint, places }) => {
            operate(&places, Operation::RetireKey { version, fingerprint }, "")
        }
        Command::ApiKeys(ApiKeysCommand::Create { new, places }) => {
            operate(&places, Operation::CreateApiKey(new), "")
        }
        Command::ApiKeys(ApiKeysCommand::List(places)) => operate(&places, Operation::ListApiKeys, ""),
        Command::ApiKeys(ApiKeysCommand::Revoke { id, places }) => {
            operate(&places, Operation::RevokeApiKey { id }, "")
        }
        Command::Audit(AuditCommand::Verify(told)) => {
            in_runtime(async { print_lines(&audit::verify(&told).await?) })
        }
        Command::Audit(AuditCommand::Export(told)) => {
            in_runtime(async { print_lines(&audit::export(&told).await?) })
        }
        Command::Audit(AuditCommand::PublicKey(places)) => {
            audit::public_key(&places).map_err(Into::into).and_then(|lines| print_lines(&lines))
        }
        Command::Retention(RetentionCommand::Run { dry_run, places }) => {
            operate(&places, Operation::RunRetention { dry_run }, "customers erased")
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There may be nobody who reads stderr, and then there is nobody to tell.
            let _ = writeln!(io::stderr(), "kyc-server: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<(), Box<dyn Error>>;

fn in_runtime(work: impl Future<Output = Done>) -> Done {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn print(text: &str) -> Done {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        // Whoever reads has read enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn print_lines(lines: &[String]) -> Done {
    if lines.is_empty() { Ok(()) } else { print(&lines.join("\n")) }
}

async fn serve(given: Given, store: impl FnOnce(SqliteConfig) -> SqliteConfig + Send + 'static) -> Done {
    let config = Config::read(&given)?;
    telemetry::start(&config.log, config.log_format)?;
    let Wired { parts, store, keyring, made_key } = wire(&config, store).await?;
    let tls = parts.front.tls.clone();
    let mut service = Service::of(parts);
    retention::replay(&service.kyc).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    let shutdown = asked_to_stop()?;
    if let Some(tls) = tls {
        tokio::spawn(tls.reload_on_hangup()?);
    }
    match Operators::bind(&config.data_dir) {
        Ok(operators) => service = service.with_operators(operators, keyring),
        // The service itself needs no commands.
        Err(error) => tracing::warn!(%error, "no command can reach this server: its socket can't be made"),
    }
    greet(&config, address, made_key.as_ref())?;
    let result = service.run(listener, shutdown).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(result?)
}

fn greet(config: &config::Config, address: std::net::SocketAddr, made: Option<&Secret<String>>) -> Done {
    let scheme = if config.exposure.tls.is_some() { "https" } else { "http" };
    let mut lines = vec![
        format!("Swagger UI   {scheme}://{address}/docs"),
        format!("OpenAPI      {scheme}://{address}/openapi.json"),
    ];
    if config.dev {
        lines.push(format!("Data         {}", config.data_dir.display()));
    }
    lines.extend(made.map(|key| format!("Admin key    {}", key.expose())));
    print(&lines.join("\n"))
}

/// Has the server of the data folder do something, or does it where none runs. `doing` stands beside the counts
/// of its progress.
fn operate(places: &Places, operation: Operation, doing: &'static str) -> Done {
    let folder = places.data_dir()?;
    let mut meter = Meter::new(doing);
    let asked = socket::ask(&folder, &operation, |Progress { done, total }| meter.at(done, total));
    let result = match asked {
        Some(result) => result,
        None => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(operate_alone(places, operation, meter))?,
    };
    print(&result?.join("\n"))
}

async fn operate_alone(
    places: &Places,
    operation: Operation,
    meter: Meter,
) -> Result<Result<Vec<String>, NotDone>, Box<dyn Error>> {
    let Alone { tools, store, actor } = alone(places).await?;
    let meter = Mutex::new(meter);
    let report = |Progress { done, total }| {
        meter.lock().unwrap_or_else(PoisonError::into_inner).at(done, total);
    };
    let result = execute(operation, &tools, &actor, &report).await;
    store.close().await;
    Ok(result)
}

async fn sandbox(given: SandboxGiven) -> Done {
    let keys = SigningKeys::new(&given.secrets()?)?;
    telemetry::start("info", LogFormat::Auto)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sandbox = Sandbox::bind(given.listen, keys, clock).await?;
    let shutdown = asked_to_stop()?;
    print(&format!("Sandbox      http://{}", sandbox.local_addr()))?;
    sandbox.serve(shutdown).await;
    Ok(())
}

fn generate(places: &Places) -> Done {
    let KeyringSource::File(path) = places.keyring()? else {
        return Err("KYC_KEYRING_JSON holds a keyring; to make another, unset it and name a file".into());
    };
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        make_private_folder(folder)?;
    }
    Keyring::create(&path, &SystemEntropy::new(), SystemClock.now())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    print(&format!(
        "A new keyring is at {}. Keep a copy in a safe place: without it nobody reads the data.",
        path.display()
    ))
}
