//! The Unix socket of a data folder, over which a command asks the server that runs there.
//!
//! A line of JSON each way: the [`Operation`] goes out, [`Said`] comes back, once or more often. Who may open
//! the socket is told by the file system (mode 0600 in a folder of mode 0700), and checked once more by the
//! user id of the other end; it is that user whom audit events name.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use kyc_core::domain::actor::Actor;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{NotDone, Operation, Progress, Tools, execute};

/// The name of the socket in the data folder.
const NAME: &str = "kyc";
/// The longest operation, in bytes of its line.
const LONGEST: u64 = 64 * 1024;
/// How long a command may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many operations run at once.
const AT_ONCE: usize = 4;

/// What the server says of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// How far it has come.
    Progress(Progress),
    /// It is done; the lines to print.
    Done(Vec<String>),
    /// It was not done; the words why.
    NotDone(String),
}

/// The server's end of the socket. The file goes with it.
#[derive(Debug)]
pub struct Operators {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Operators {
    /// Makes the socket of a data folder, in place of one that a killed server left. Only the process that has
    /// the lock on the folder may call this.
    ///
    /// # Errors
    /// Where the file can't be made, as where the path is longer than a socket's may be (107 bytes on Linux).
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        // It gets its name only once nobody else may open it.
        let made = folder.join(format!("{NAME}.new"));
        for old in [&path, &made] {
            match fs::remove_file(old) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, &path)?;
        let owner = fs::metadata(&path)?.uid();
        Ok(Self { listener, path, owner })
    }

    /// Does what commands ask for, until `shutdown`. What is under way then is dropped: an operation is done
    /// in steps, each whole by itself, so that it can be asked for again.
    pub async fn serve(self, tools: Tools, shutdown: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let mut operations = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let stream = tokio::select! {
                () = &mut shutdown => return,
                Some(_) = operations.join_next() => continue,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(kind = ?error.kind(), "a command can't be heard");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let (tools, owner, slots) = (tools.clone(), self.owner, Arc::clone(&slots));
            operations.spawn(async move {
                let Some(actor) = operator(&stream, owner) else {
                    tracing::warn!("a command of another user was refused");
                    return;
                };
                if let Err(error) = answer(stream, &tools, &actor, &slots).await {
                    tracing::debug!(kind = ?error.kind(), "a command went away");
                }
            });
        }
    }
}

impl Drop for Operators {
    fn drop(&mut self) {
        // One that stays is replaced by the next server.
        drop(fs::remove_file(&self.path));
    }
}

/// Who is at the other end, where it is the owner of the folder or root.
fn operator(stream: &UnixStream, owner: u32) -> Option<Actor> {
    let user = stream.peer_cred().ok()?.uid();
    (user == owner || user == 0).then(|| Actor::operator(user))
}

async fn answer(stream: UnixStream, tools: &Tools, actor: &Actor, slots: &Semaphore) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = tokio::io::BufReader::new(reader).take(LONGEST);
    tokio::time::timeout(PATIENCE, reader.read_until(b'\n', &mut line)).await??;
    let Ok(operation) = serde_json::from_slice::<Operation>(&line) else {
        let words = "the server is of another version than the command: it does not know what is asked for";
        return say(&mut writer, &Said::NotDone(words.to_owned())).await;
    };
    // It is never closed.
    let _slot = slots.acquire().await;
    let (counts, mut counted) = watch::channel(Progress { done: 0, total: 0 });
    let report = move |progress| {
        counts.send_replace(progress);
    };
    let mut work = pin!(execute(operation, tools, actor, &report));
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            Ok(()) = counted.changed() => {
                let progress = *counted.borrow_and_update();
                // Whoever asked may have gone away; what was begun is finished all the same.
                drop(say(&mut writer, &Said::Progress(progress)).await);
            }
        }
    };
    let said = match done {
        Ok(lines) => Said::Done(lines),
        Err(not_done) => Said::NotDone(not_done.to_string()),
    };
    say(&mut writer, &said).await
}

async fn say(writer: &mut (impl AsyncWriteExt + Unpin), said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// Asks the server of a data folder; none where none runs there.
///
/// # Errors
/// [`NotDone`] where the server did not do it, or its answer did not come.
pub fn ask(
    folder: &Path,
    operation: &Operation,
    mut report: impl FnMut(Progress),
) -> Option<Result<Vec<String>, NotDone>> {
    let stream = match BlockingStream::connect(folder.join(NAME)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return None;
        }
        Err(error) => {
            return Some(Err(NotDone::because(format!("the server's socket can't be opened: {error}"))));
        }
    };
    Some(converse(stream, operation, &mut report).unwrap_or_else(|error| {
        Err(NotDone::because(format!("the server went away in the middle ({error}): ask again")))
    }))
}

fn converse(
    mut stream: BlockingStream,
    operation: &Operation,
    report: &mut dyn FnMut(Progress),
) -> io::Result<Result<Vec<String>, NotDone>> {
    let mut line = serde_json::to_vec(operation)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        match serde_json::from_str(&line)? {
            Said::Progress(progress) => report(progress),
            Said::Done(lines) => return Ok(Ok(lines)),
            Said::NotDone(words) => return Ok(Err(NotDone::because(words))),
        }
        line.clear();
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
