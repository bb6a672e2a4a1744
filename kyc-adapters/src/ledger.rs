//! The erasure ledger in a file: a line of JSON an erasure, added at the end and never changed.
//!
//! ```text
//! {"subject":"019b…","digest":"0a1b…","key_version":1,"at":"2026-03-15T12:00:00Z","reason":"subject_request"}
//! ```
//!
//! The digest is the keyed fingerprint of the caller's id, so no line names anybody. Keep the file where a
//! restore of the database does not reach it: one that goes back in time together with the database can't say
//! what happened since.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::erasure::Erasure;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::ErasureLedger;
use kyc_core::ports::cipher::Fingerprint;
use kyc_core::ports::ledger::LedgerError;
use serde::{Deserialize, Serialize};

/// A ledger in a file; see the [module](self). One process may have it open at a time, as the one that has the
/// lock on the data folder does. Its methods need a `tokio` runtime.
#[derive(Debug, Clone)]
pub struct FileLedger(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    file: File,
}

/// A line.
#[derive(Serialize, Deserialize)]
struct Line {
    subject: String,
    digest: String,
    key_version: u32,
    at: String,
    reason: String,
}

impl FileLedger {
    /// Opens the file, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// Where it can't be opened or made.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(&path)?;
        if is_new {
            file.sync_all()?;
            // A new entry of a folder survives the loss of power only when the folder is synced as well.
            let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
        }
        Ok(Self(Arc::new(Mutex::new(Kept { file }))))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Kept) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let kept = Arc::clone(&self.0);
        let work = move || work(&mut kept.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.map_err(|_| LedgerError::Unavailable)?
    }
}

#[async_trait]
impl ErasureLedger for FileLedger {
    async fn append(&self, erasures: &[Erasure]) -> Result<(), LedgerError> {
        let mut lines = Vec::new();
        for erasure in erasures {
            serde_json::to_writer(&mut lines, &Line::of(erasure)).map_err(|_| LedgerError::Unavailable)?;
            lines.push(b'\n');
        }
        self.with(move |kept| kept.append(&lines).map_err(unavailable)).await
    }

    async fn entries(&self) -> Result<Vec<Erasure>, LedgerError> {
        self.with(|kept| read(&kept.text().map_err(unavailable)?)).await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unavailable(error: io::Error) -> LedgerError {
    tracing::error!(kind = ?error.kind(), "the erasure ledger can't be read or written");
    LedgerError::Unavailable
}

impl Kept {
    /// A line that was cut off by a crash ends where the next one begins.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut last = [b'\n'];
        if self.file.seek(SeekFrom::End(0))? > 0 {
            self.file.seek(SeekFrom::End(-1))?;
            self.file.read_exact(&mut last)?;
        }
        let mut whole = Vec::with_capacity(lines.len() + 1);
        if last != [b'\n'] {
            whole.push(b'\n');
        }
        whole.extend_from_slice(lines);
        self.file.write_all(&whole)?;
        self.file.sync_data()
    }

    fn text(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut text)?;
        Ok(text)
    }
}

/// Reads the lines. One that breaks off was not answered to anybody, and so is none; it is the last one, or was
/// when a crash cut it off.
fn read(text: &[u8]) -> Result<Vec<Erasure>, LedgerError> {
    let lines = text.split(|byte| *byte == b'\n').enumerate();
    let mut entries = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice::<Line>(line).map(|line| line.erasure()) {
            Ok(Some(erasure)) => entries.push(erasure),
            Err(error) if error.is_eof() => {}
            Ok(None) | Err(_) => return Err(LedgerError::Damaged { entry: number + 1 }),
        }
    }
    Ok(entries)
}

impl Line {
    fn of(erasure: &Erasure) -> Self {
        Self {
            subject: erasure.subject.to_string(),
            digest: HEXLOWER.encode(&erasure.fingerprint.digest),
            key_version: erasure.fingerprint.key_version,
            at: erasure.at.to_string(),
            reason: erasure.reason.as_str().to_owned(),
        }
    }

    fn erasure(&self) -> Option<Erasure> {
        let digest = HEXLOWER.decode(self.digest.as_bytes()).ok()?.try_into().ok()?;
        Some(Erasure {
            fingerprint: Fingerprint {
                kind: FingerprintKind::CustomerId,
                key_version: self.key_version,
                digest,
            },
            subject: SubjectId::parse(&self.subject).ok()?,
            at: self.at.parse().ok()?,
            reason: self.reason.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use kyc_core::contract::store::rows;

    use super::*;

    fn erasures(numbers: std::ops::Range<u32>) -> Vec<Erasure> {
        numbers.map(rows::erasure).collect()
    }

    #[tokio::test]
    async fn what_was_added_is_read_back_in_order_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures.ndjson");
        let ledger = FileLedger::open(&path).unwrap();
        assert_eq!(ledger.entries().await, Ok(vec![]));
        ledger.append(&erasures(1..3)).await.unwrap();
        ledger.append(&[]).await.unwrap();
        ledger.append(&erasures(3..4)).await.unwrap();
        assert_eq!(ledger.entries().await, Ok(erasures(1..4)));
        drop(ledger);
        assert_eq!(FileLedger::open(&path).unwrap().entries().await, Ok(erasures(1..4)));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.contains("\"reason\":\"subject_request\"")));
    }

    #[tokio::test]
    async fn a_line_that_was_cut_off_anywhere_hides_neither_those_before_nor_those_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures.ndjson");
        let ledger = FileLedger::open(&path).unwrap();
        ledger.append(&erasures(1..3)).await.unwrap();
        let whole = std::fs::read(&path).unwrap();
        let second = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in second..whole.len() - 1 {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let ledger = FileLedger::open(&path).unwrap();
            assert_eq!(ledger.entries().await, Ok(erasures(1..2)), "{cut}");
            ledger.append(&erasures(5..6)).await.unwrap();
            let expected = [erasures(1..2), erasures(5..6)].concat();
            assert_eq!(ledger.entries().await, Ok(expected), "{cut}");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(
            FileLedger::open(&path).unwrap().entries().await,
            Ok(erasures(1..3)),
            "it lacks its end alone"
        );
    }

    #[tokio::test]
    async fn a_damaged_line_is_named_and_nothing_is_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erasures.ndjson");
        let ledger = FileLedger::open(&path).unwrap();
        ledger.append(&erasures(1..3)).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in [("subject_request", "whim"), ("\"digest\":\"ef", "\"digest\":\"xx"), ("{\"s", "s")]
        {
            let at = text.rfind(from).unwrap();
            let mut damaged = text.clone();
            damaged.replace_range(at..at + from.len(), to);
            std::fs::write(&path, &damaged).unwrap();
            let ledger = FileLedger::open(&path).unwrap();
            assert_eq!(ledger.entries().await, Err(LedgerError::Damaged { entry: 2 }), "{from}");
        }
    }
}
