//! The server, with what only a test may set: with `--synchronous-normal` as its first argument the store syncs
//! at checkpoints only, as no setting of `kyc-server` can have it. All else is `kyc-server`, word for word.

use std::process::ExitCode;

use kyc_adapters::sqlite::{SqliteConfig, Synchronous};
use kyc_tests::process::SYNCHRONOUS_NORMAL;

fn main() -> ExitCode {
    let mut line: Vec<_> = std::env::args_os().collect();
    let is_normal = line.get(1).is_some_and(|argument| argument == SYNCHRONOUS_NORMAL);
    if is_normal {
        line.remove(1);
    }
    kyc_server::run::run_line(line, move |sqlite| {
        let synchronous = if is_normal { Synchronous::Normal } else { sqlite.synchronous };
        SqliteConfig { synchronous, ..sqlite }
    })
}
