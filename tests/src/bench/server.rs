//! The service in a process of its own, as in production but for its workers, which are off: HTTP over
//! loopback, `synchronous=FULL`, the keyring in a file, and a line of JSON a request, which goes to nowhere.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kyc_core::Secret;
use kyc_server::config::{Config, Given, KeyringSource};
use kyc_server::service::Service;
use kyc_server::telemetry::{self, LogFormat};
use kyc_server::wire::{Wired, wire};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Result;
use crate::arms::data_folder;

/// The admin key of every service here.
pub(crate) const KEY: &str = "bench-key-0123456789-0123456789-01";

/// What a service over a folder is made of, without workers.
pub(crate) async fn wired(folder: &Path) -> Result<Wired> {
    let mut given = Given::default();
    given.dev = true;
    let mut config = Config::read(&given)?;
    config.data_dir = folder.to_owned();
    config.keyring = KeyringSource::File(folder.join("keyring.json"));
    config.checkpoint_key = folder.join("checkpoint.key");
    config.checkpoint_dir = folder.join("checkpoints");
    config.erasure_ledger = folder.join("erasures.ndjson");
    config.admin_key = Some(Secret::new(KEY.to_owned()));
    config.workers = 0;
    config.rate_limit_per_second = 0;
    Ok(wire(&config, |sqlite| sqlite).await?)
}

/// A server process. It ends with its owner.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// Starts this program again as a server, over a new folder.
    pub(crate) fn start(within: &Path) -> Result<Self> {
        let folder = data_folder(within)?;
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().parse().map_err(|_| "the server did not start");
        match address {
            Ok(address) => Ok(Self { process, address, _folder: folder }),
            Err(error) => {
                process.kill()?;
                process.wait()?;
                Err(error.into())
            }
        }
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How much time of processors it has used, in steps of ten milliseconds; none where there is no `/proc`.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).ok()?;
        // proc(5): utime and stime are the 14th and 15th words, in ticks of 1/100 s; the name, which is the
        // second, may hold spaces.
        let (_, after_name) = text.rsplit_once(')')?;
        let ticks = |word: &str| word.parse::<u64>().ok();
        let mut words = after_name.split_whitespace().skip(11).map(ticks);
        Some(Duration::from_millis(10 * (words.next()?? + words.next()??)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the server's sign to stop.
        drop(self.process.stdin.take());
        // Whatever its exit code is, it is over.
        let _ = self.process.wait();
    }
}

/// Serves a folder until the input ends, and tells the address on the output.
pub(crate) fn serve(folder: &Path) -> Result<()> {
    telemetry::start("info", LogFormat::Json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let Wired { parts, store, .. } = wired(folder).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        let served = Service::of(parts).run(listener, end_of_input()).await;
        store.close().await;
        Ok(served?)
    })
}

async fn end_of_input() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        // An error ends the input as well.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(ended);
    });
    // The error says that the thread has ended, which is the sign.
    let _ = end.await;
}
