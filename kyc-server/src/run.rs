//! What each command does.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

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

use crate::cli::{Cli, Command, KeysCommand};
use crate::config::{Config, Given, Places, SandboxGiven, markdown};
use crate::shutdown::asked_to_stop;
use crate::telemetry::{self, LogFormat};
use crate::wire::{Service, Wired, make_private_folder, wire};
use crate::{api, config};

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

async fn serve(given: Given, store: impl FnOnce(SqliteConfig) -> SqliteConfig + Send + 'static) -> Done {
    let config = Config::read(&given)?;
    telemetry::start(&config.log, config.log_format)?;
    let Wired { parts, store, made_key } = wire(&config, store).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    let shutdown = asked_to_stop()?;
    greet(&config, address, made_key.as_ref())?;
    let result = Service::of(parts).run(listener, shutdown).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(result?)
}

fn greet(config: &config::Config, address: std::net::SocketAddr, made: Option<&Secret<String>>) -> Done {
    let mut lines = vec![
        format!("Swagger UI   http://{address}/docs"),
        format!("OpenAPI      http://{address}/openapi.json"),
    ];
    if config.dev {
        lines.push(format!("Data         {}", config.data_dir.display()));
    }
    lines.extend(made.map(|key| format!("Admin key    {}", key.expose())));
    print(&lines.join("\n"))
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
    let path = places.keyring()?;
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
