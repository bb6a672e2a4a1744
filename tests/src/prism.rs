//! Prism before a fake vendor: a proxy that holds every request and every answer against the vendor's own
//! specification.
//!
//! A request that breaks the specification is answered 422, an answer that breaks it 500, and either of them fails
//! the test that holds the [`Prism`], with the reasons. `tests/all` installs Prism and says where it is, in
//! [`PRISM`]. The specifications lie beside the repository, in `../shared/specs`; where they are absent there is
//! nothing to check against, and [`Prism::before`] says so in a line.

mod specification;
mod wiretap;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use self::wiretap::Wiretap;

/// The variable that says where Prism's `index.js` is.
pub const PRISM: &str = "KYC_TESTS_PRISM";
/// How long Prism may take to read a specification.
const PATIENCE: Duration = Duration::from_mins(2);
/// What Prism says when it is ready, before its address.
const READY: &str = "Prism is listening on http://";

/// Prism, and what it found wrong so far. It ends with this value, which panics where anything was found.
#[derive(Debug)]
pub struct Prism {
    child: Child,
    tap: Wiretap,
    _folder: TempDir,
}

impl Prism {
    /// Starts Prism before a server, with a specification of `../shared/specs`, such as
    /// `persona-2025-12-08-mock.json`. None where the specifications are not there, which is said in a line.
    ///
    /// # Panics
    /// Where the specification is there and Prism is not, or does not start.
    #[must_use]
    pub fn before(server: SocketAddr, specification: &str) -> Option<Self> {
        let file = shared().join("specs").join(specification);
        if !file.exists() {
            // Past the capture of the test's output, so that it is seen where the test passes.
            let line = format!("skipped: there is no ../shared/specs/{specification} to check against\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return None;
        }
        let script = std::env::var_os(PRISM);
        let script = script.unwrap_or_else(|| panic!("{PRISM} does not say where Prism is; run tests/all"));
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(specification);
        specification::copy(&file, &copy);
        let mut child = Command::new("node")
            .arg(script)
            .args(["proxy", "--host", "127.0.0.1", "--port", "0", "--errors"])
            .arg(copy)
            .arg(format!("http://{server}"))
            // With it set to production Prism's process has a child of its own, which would outlive it.
            .env_remove("NODE_ENV")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("node runs");
        let lines = read_lines(child.stdout.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let Ok(line) = lines.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                panic!("Prism did not start:\n{said}");
            };
            if let Some((_, address)) = line.split_once(READY) {
                break address.trim().parse().expect("an address");
            }
            said.push_str(&line);
            said.push('\n');
        };
        Some(Self { child, tap: Wiretap::before(address), _folder: folder })
    }

    /// Where requests go: an address, which Prism is behind.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.tap.address()
    }

    /// The same as the beginning of an address of HTTP, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// How many requests were answered.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.tap.exchanges()
    }

    /// What was found wrong since this was asked last: each a request line and the reasons.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        self.tap.take_violations()
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        // One that has ended already can't be killed, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A test that fails has said why; a second panic would only hide it.
        if !thread::panicking() {
            let violations = self.take_violations();
            assert!(violations.is_empty(), "the specification was broken:\n{}", violations.join("\n"));
        }
    }
}

/// What lies beside the repository for its tests; it need not be there.
#[must_use]
pub fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared")
}

fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        // Read to the end even where nobody listens any more: a full pipe would stop Prism.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    lines
}
