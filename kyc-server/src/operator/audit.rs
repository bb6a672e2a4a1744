//! The audit log from the command line: verify it, export it, and print the key that verifies its checkpoints.
//! These only read, beside a server that may be running, so they go through no socket.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use kyc_adapters::checkpoint::{CheckpointError, CheckpointFolder, CheckpointKey};
use kyc_adapters::file::NewFile;
use kyc_adapters::sqlite::ReadOnlyStore;
use kyc_core::domain::audit::ChainedEvent;
use kyc_core::domain::checkpoint::{Checkpoint, VerifierKey};
use kyc_core::domain::ids::ProviderName;
use kyc_core::domain::status::StatusWord;
use kyc_core::usecase::chain::{ChainError, ChainPages, walk_all};
use serde::Serialize;

use super::NotDone;
use crate::config::AuditPlaces;
use crate::progress::Meter;

/// What `audit verify` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// Folder of signed checkpoints to hold the log against: only they show that events were cut off its end
    #[arg(long, value_name = "DIR")]
    pub checkpoints: Option<PathBuf>,
    /// Key that verifies the checkpoints, as `audit public-key` prints it [default: that of the checkpoint key]
    #[arg(long, value_name = "KEY", requires = "checkpoints")]
    pub public_key: Option<String>,
    /// Where the log is.
    #[command(flatten)]
    pub places: AuditPlaces,
}

/// What `audit export` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Export {
    /// Leave out this event and those before it, which you have already
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    pub since: u64,
    /// File to write, with access for its owner only [default: standard output]
    pub file: Option<PathBuf>,
    /// Where the log is.
    #[command(flatten)]
    pub places: AuditPlaces,
}

/// Walks the whole log, and holds the checkpoints against it.
///
/// # Errors
/// [`NotDone`] names the first fault.
pub(crate) async fn verify(told: &Verify) -> Result<Vec<String>, NotDone> {
    // Read before the log, which may be longer by then and never shorter.
    let checkpoints = match &told.checkpoints {
        None => Vec::new(),
        Some(folder) => signed(told, folder)?,
    };
    let store = open(&told.places)?;
    let (newest, compared) = (checkpoints.iter().max_by_key(|one| one.size).copied(), checkpoints.len());
    let mut meter = Meter::new("events checked");
    let whole = walk_all(&store, checkpoints, |done, total| meter.at(done, total)).await.map_err(words)?;
    let missing = store.missing().await.map_err(NotDone::because)?;
    if let Some(subject) = missing {
        let words = "the audit log is whole and tells of the person";
        return Err(NotDone::because(format!(
            "{words} {subject}, of whom something is gone in the database that was not erased"
        )));
    }
    Ok(vec![
        format!("The audit log is whole: {} events, the head is {:?}.", whole.sequence(), whole.head()),
        match newest {
            Some(newest) => {
                format!(
                    "It fits {compared} checkpoints, the newest of {} events at {}.",
                    newest.size, newest.at
                )
            }
            None => "No checkpoint was compared: that events were cut off its end would not be seen \
                     (--checkpoints)."
                .to_owned(),
        },
    ])
}

fn signed(told: &Verify, folder: &Path) -> Result<Vec<Checkpoint>, NotDone> {
    let key = match &told.public_key {
        Some(text) => {
            VerifierKey::parse(text).map_err(|error| NotDone::because(format!("--public-key: {error}")))?
        }
        None => verifier(&told.places)?,
    };
    let checkpoints = CheckpointFolder::at(folder).read(&key).map_err(NotDone::because)?;
    if checkpoints.is_empty() {
        return Err(NotDone::because(CheckpointError::None { path: folder.to_owned() }));
    }
    Ok(checkpoints)
}

fn verifier(places: &AuditPlaces) -> Result<VerifierKey, NotDone> {
    let path = places.checkpoint_key().map_err(NotDone::because)?;
    CheckpointKey::load(&path).map(|key| key.verifier().clone()).map_err(NotDone::because)
}

fn open(places: &AuditPlaces) -> Result<ReadOnlyStore, NotDone> {
    let folder = places.data_dir().map_err(NotDone::because)?;
    ReadOnlyStore::open(&folder).map_err(|error| NotDone::because(format!("{}: {error}", folder.display())))
}

fn words(error: ChainError) -> NotDone {
    match error {
        ChainError::Fault(fault) => NotDone::because(format!("the audit log is not whole: {fault}")),
        ChainError::Store(_) => NotDone::because(error),
    }
}

/// The key that verifies checkpoints.
///
/// # Errors
/// [`NotDone`] where there is no key that can be read.
pub(crate) fn public_key(places: &AuditPlaces) -> Result<Vec<String>, NotDone> {
    Ok(vec![verifier(places)?.to_string()])
}

/// An event as a line of JSON: every column that its hash covers, as the bytes that were hashed, and the hash.
#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    changeset: String,
    at: String,
    actor: &'a str,
    action: &'a str,
    subject: Option<String>,
    verification: Option<String>,
    provider: Option<&'a str>,
    target: Option<&'a str>,
    reason: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    fields: String,
    request_id: Option<&'a str>,
    hash: String,
}

impl<'a> Line<'a> {
    fn of(chained: &'a ChainedEvent) -> Self {
        let ChainedEvent { sequence, changeset, event, hash } = chained;
        Self {
            sequence: *sequence,
            changeset: changeset.to_string(),
            at: event.at.to_string(),
            actor: &event.actor,
            action: event.action.as_str(),
            subject: event.subject.map(|id| id.to_string()),
            verification: event.verification.map(|id| id.to_string()),
            provider: event.provider.as_ref().map(ProviderName::as_str),
            target: event.target.as_deref(),
            reason: event.reason.as_deref(),
            from: event.from.map(StatusWord::as_str),
            to: event.to.map(StatusWord::as_str),
            fields: event.fields_text(),
            request_id: event.request_id.as_deref(),
            hash: format!("{hash:?}"),
        }
    }
}

/// Writes the events as lines of JSON, one each, to a file or to standard output. What they say is not checked:
/// that is for whoever gets them.
///
/// # Errors
/// [`NotDone`] where an event can't be read, or the file can't be written; there is then no file.
pub(crate) async fn export(told: &Export) -> Result<Vec<String>, NotDone> {
    let store = open(&told.places)?;
    let pages = ChainPages::after(&store, told.since).await.map_err(words)?;
    let Some(path) = &told.file else {
        return match write(pages, &mut BufWriter::new(io::stdout()), |_| ()).await {
            // Whoever reads has read enough, as `head` does.
            Err(Unwritten::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Vec::new()),
            written => written.map(|_| Vec::new()).map_err(|error| error.words("standard output")),
        };
    };
    let shown = path.display().to_string();
    let failed = |error| Unwritten::Io(error).words(&shown);
    let mut file = NewFile::beside(path).map_err(failed)?;
    let (mut meter, total) = (Meter::new("events written"), pages.last());
    let written = write(pages, &mut BufWriter::new(&mut file), |last| meter.at(last, total)).await;
    let events = written.map_err(|error| error.words(&shown))?;
    file.replace().map_err(failed)?;
    Ok(vec![format!("{events} events are in {shown}.")])
}

enum Unwritten {
    Chain(ChainError),
    Io(io::Error),
}

impl Unwritten {
    fn words(self, place: &str) -> NotDone {
        match self {
            Self::Chain(error) => words(error),
            Self::Io(error) => NotDone::because(format!("{place}: {error}")),
        }
    }
}

/// Writes every page; how many events there were.
async fn write(
    mut pages: ChainPages<'_>,
    out: &mut impl Write,
    mut report: impl FnMut(u64),
) -> Result<u64, Unwritten> {
    let mut events = 0;
    loop {
        let page = pages.next().await.map_err(Unwritten::Chain)?;
        let Some(last) = page.last() else { break };
        for event in &page {
            serde_json::to_writer(&mut *out, &Line::of(event))
                .map_err(|error| Unwritten::Io(error.into()))?;
            out.write_all(b"\n").map_err(Unwritten::Io)?;
            events += 1;
        }
        report(last.sequence);
    }
    out.flush().map_err(Unwritten::Io)?;
    Ok(events)
}
