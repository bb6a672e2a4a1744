//! The program. Configuration, telemetry, wiring, serving and the exit code are in [`kyc_server::run`].

use std::process::ExitCode;

use clap::Parser;
use kyc_server::cli::Cli;

fn main() -> ExitCode {
    kyc_server::run::run(Cli::parse().command)
}
