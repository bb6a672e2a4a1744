//! A service in a process of its own, which can be stopped, killed, traced, and started again on its folder.

mod client;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use kyc_server::config::ALL;

pub use self::client::{Answer, Client};

/// The first argument of `server-under-test`, by which its store syncs at checkpoints only.
pub const SYNCHRONOUS_NORMAL: &str = "--synchronous-normal";

/// Long enough that only a failure meets it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// How a server is started, once or again and again.
#[derive(Debug, Clone)]
pub struct Options {
    binary: PathBuf,
    home: PathBuf,
    settings: Vec<(String, String)>,
    listen: String,
    synchronous_normal: bool,
    trace: Option<(String, PathBuf)>,
}

impl Options {
    /// The program, and a folder in which it has its data, its temporary files and its logs.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>, home: impl Into<PathBuf>) -> Self {
        let (binary, home) = (binary.into(), home.into());
        // Tests ask faster than an application may.
        let settings = ["KYC_RATE_LIMIT_PER_SECOND", "KYC_ADDRESS_RATE_LIMIT_PER_SECOND"]
            .map(|variable| (variable.to_owned(), "0".to_owned()))
            .to_vec();
        let listen = "127.0.0.1:0".to_owned();
        Self { binary, home, settings, listen, synchronous_normal: false, trace: None }
    }

    /// One more setting, by its variable.
    #[must_use]
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.settings.push((variable.to_owned(), value.into()));
        self
    }

    /// At another address than a port of 127.0.0.1.
    #[must_use]
    pub fn listening_on(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// With a store that syncs at checkpoints only.
    #[must_use]
    pub fn synchronous_normal(mut self) -> Self {
        self.synchronous_normal = true;
        self
    }

    /// Under `strace`, which writes these system calls of all threads to a file.
    #[must_use]
    pub fn traced(mut self, calls: &str, file: impl Into<PathBuf>) -> Self {
        self.trace = Some((calls.to_owned(), file.into()));
        self
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The folder of temporary files.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.home.join("tmp")
    }

    /// Everything that was written to standard error, by all starts.
    #[must_use]
    pub fn stderr(&self) -> PathBuf {
        self.home.join("stderr.log")
    }

    /// Everything that was written to standard output, by all starts.
    #[must_use]
    pub fn stdout(&self) -> PathBuf {
        self.home.join("stdout.log")
    }

    /// Starts a server that can't run: how it ended, and what it said on standard error.
    #[must_use]
    pub fn refused(&self) -> (ExitStatus, String) {
        let before = std::fs::read(self.stderr()).unwrap_or_default().len();
        let mut started = Started::of(self);
        while started.line().is_some() {}
        let said = std::fs::read(self.stderr()).unwrap().split_off(before);
        (started.child.wait().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs another command on the same data, to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        std::fs::create_dir_all(self.temporary()).unwrap();
        let mut command = Command::new(&self.binary);
        self.set_up(command.args(arguments)).stdin(Stdio::null()).output().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = match &self.trace {
            None => Command::new(&self.binary),
            Some((calls, file)) => {
                // With -D the server is our child and not the tracer's, so that signals and the exit code
                // are its own; -y shows the paths of file descriptors.
                let mut strace = Command::new("strace");
                strace.args(["-D", "-f", "-y", "-ttt", "-s", "64", "-e"]).arg(format!("trace={calls}"));
                strace.arg("-o").arg(file).arg(&self.binary);
                strace
            }
        };
        if self.synchronous_normal {
            command.arg(SYNCHRONOUS_NORMAL);
        }
        command.args(["serve", "--dev", "--listen", &self.listen]);
        self.set_up(&mut command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(append(&self.stderr()));
        command
    }

    /// The settings, and none but them.
    fn set_up<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        // What the environment of the test holds must not reach the server.
        for setting in ALL {
            command.env_remove(setting.variable);
        }
        command.env_remove("KYC_CONFIG").env("KYC_DATA_DIR", self.data()).env("TMPDIR", self.temporary());
        command.envs(self.settings.iter().map(|(variable, value)| (variable, value)));
        command.current_dir(&self.home)
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// A child whose standard output is read line by line. It dies with this value.
#[derive(Debug)]
struct Started {
    child: Child,
    lines: Receiver<String>,
}

impl Started {
    fn of(options: &Options) -> Self {
        std::fs::create_dir_all(options.temporary()).unwrap();
        let mut child = options.command().spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Self { child, lines: read_lines(stdout, append(&options.stdout())) }
    }

    /// The next line; none where the output has ended, and with it the process and a tracer of it.
    fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the server neither says anything nor ends"),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that has ended already can't be killed, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(stdout: ChildStdout, mut log: File) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            writeln!(log, "{line}").unwrap();
            // Nobody may be waiting for more.
            let _ = sender.send(line);
        }
    });
    lines
}

/// A server that runs and has said where. It dies with this value.
#[derive(Debug)]
pub struct ServerProcess {
    started: Started,
    address: SocketAddr,
    key: String,
}

impl ServerProcess {
    /// Starts a server and waits until it listens.
    #[must_use]
    pub fn start(options: &Options) -> Self {
        let started = Started::of(options);
        let (mut address, mut key) = (None, None);
        while let Some(line) = key.is_none().then(|| started.line()).flatten() {
            if let Some(shown) = line.strip_prefix("OpenAPI      ") {
                address = shown.split('/').nth(2).unwrap().parse().ok();
            }
            key = line.strip_prefix("Admin key    ").map(str::to_owned);
        }
        let (Some(address), Some(key)) = (address, key) else {
            panic!("no server: {}", std::fs::read_to_string(options.stderr()).unwrap());
        };
        Self { started, address, key }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The admin key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A client with the admin key, and a connection of its own.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.address, self.key.clone())
    }

    /// Kills it as `kill -9` does, and waits for its end.
    pub fn kill9(mut self) {
        self.started.child.kill().unwrap();
        let _ = self.end();
    }

    /// Asks it to stop, as a supervisor does, and returns at once.
    pub fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal, such as `HUP`, and returns at once.
    pub fn signal(&self, name: &str) {
        // The standard library sends no signal but SIGKILL. The child was not waited for, so that its id is
        // still its own.
        let id = self.started.child.id().to_string();
        let kill = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for its end, and for that of a tracer.
    #[must_use]
    pub fn wait(mut self) -> ExitStatus {
        self.end()
    }

    /// Asks it to stop and waits for its end.
    #[must_use]
    pub fn terminate(self) -> ExitStatus {
        self.ask_to_stop();
        self.wait()
    }

    fn end(&mut self) -> ExitStatus {
        while self.started.line().is_some() {}
        self.started.child.wait().unwrap()
    }
}
