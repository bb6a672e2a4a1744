//! The folder that keeps checkpoints, a file each.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::Offset;
use kyc_core::domain::checkpoint::{Checkpoint, NoteFault, VerifierKey};

use super::{CheckpointError, verify};
use crate::file::{NewFile, read_into};

/// How the name of every checkpoint ends. What is named otherwise is not ours and left alone.
const SUFFIX: &str = ".checkpoint";

/// How many of the newest are kept; of those before, one a day.
const NEWEST: usize = 1000;

/// The most bytes of a note: ours has 250, and witnesses may sign too (signed-note, "Format").
const SIZE_LIMIT: usize = 64 * 1024;

/// A folder of checkpoints.
///
/// Each is a file that has the day and the size in its name, such as
/// `2026-01-31-00000000000000001042.checkpoint`; a later one of the same day and size replaces it. The newest
/// 1,000 are kept, and of those before the last of each day, by UTC.
#[derive(Debug)]
pub struct CheckpointFolder(PathBuf);

impl CheckpointFolder {
    /// A folder that is there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A folder, made where it is missing, with access for its owner only.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] where it can't be made.
    pub fn make(path: &Path) -> Result<Self, CheckpointError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(CheckpointError::io(path))?;
        Ok(Self::at(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether it has no checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] where it can't be read.
    pub fn is_empty(&self) -> Result<bool, CheckpointError> {
        Ok(self.names()?.is_empty())
    }

    /// All checkpoints, verified.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] for the first file that says it is a checkpoint and is none of this log: a
    /// signature that is wrong is an alarm, and never passed over.
    pub fn read(&self, key: &VerifierKey) -> Result<Vec<Checkpoint>, CheckpointError> {
        let names = self.names()?;
        let kept = names.iter().map(|name| open(&self.0.join(name), key));
        kept.filter_map(Result::transpose).collect()
    }

    /// Keeps a checkpoint, and removes those that are too many.
    ///
    /// # Errors
    /// [`CheckpointError::Io`] where it can't be written; the files before it are then as they were.
    pub fn keep(&self, checkpoint: &Checkpoint, note: &str) -> Result<(), CheckpointError> {
        let place = self.0.join(name(checkpoint));
        let write = || {
            let mut file = NewFile::beside(&place)?;
            file.write_all(note.as_bytes())?;
            file.replace()
        };
        write().map_err(CheckpointError::io(&place))?;
        for name in superfluous(self.names()?, NEWEST) {
            let path = self.0.join(name);
            fs::remove_file(&path).map_err(CheckpointError::io(&path))?;
        }
        Ok(())
    }

    /// The names of the checkpoints.
    fn names(&self) -> Result<BTreeSet<String>, CheckpointError> {
        let names = || {
            let mut names = BTreeSet::new();
            for entry in fs::read_dir(&self.0)? {
                let name = entry?.file_name().into_string();
                names.extend(name.ok().filter(|name| name.ends_with(SUFFIX)));
            }
            Ok(names)
        };
        names().map_err(CheckpointError::io(&self.0))
    }
}

/// Reads and verifies a checkpoint; none where it was removed meanwhile, as a running service does.
fn open(path: &Path, key: &VerifierKey) -> Result<Option<Checkpoint>, CheckpointError> {
    let mut bytes = vec![0; SIZE_LIMIT];
    let length = match File::open(path).and_then(|file| read_into(file, &mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(CheckpointError::io(path))?,
    };
    let note = bytes.get(..length).and_then(|note| std::str::from_utf8(note).ok());
    let opened = note.ok_or(NoteFault::Malformed).and_then(|note| Checkpoint::open(note, key, verify));
    opened.map(Some).map_err(|fault| CheckpointError::Note { path: path.to_owned(), fault })
}

fn name(checkpoint: &Checkpoint) -> String {
    let day = Offset::UTC.to_datetime(checkpoint.at).date();
    format!("{day}-{:020}{SUFFIX}", checkpoint.size)
}

/// The day and the size of a name that [`name`] made.
fn parts(name: &str) -> Option<(Date, u64)> {
    let (day, size) = name.strip_suffix(SUFFIX)?.rsplit_once('-')?;
    let size = (size.len() == 20).then(|| size.parse().ok())??;
    Some((day.parse().ok()?, size))
}

/// Those that are neither among the newest nor the last of a day. Files with names of another kind stay.
fn superfluous(names: BTreeSet<String>, newest: usize) -> Vec<String> {
    if names.len() <= newest {
        return Vec::new();
    }
    let mut dated: Vec<_> =
        names.into_iter().filter_map(|name| parts(&name).map(|(day, size)| (size, day, name))).collect();
    dated.sort_unstable_by(|one, other| other.cmp(one));
    let mut days = BTreeSet::new();
    let older = dated.into_iter().skip(newest);
    older.filter(|(_, day, _)| !days.insert(*day)).map(|(_, _, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(day: &str, size: u64) -> String {
        name(&Checkpoint {
            size,
            head: kyc_core::domain::audit::AuditHash::ORIGIN,
            at: format!("{day}T23:59:59Z").parse().unwrap(),
        })
    }

    #[test]
    fn a_name_says_day_and_size_and_is_read_back() {
        let name = named("2026-01-31", 1042);
        assert_eq!(name, "2026-01-31-00000000000000001042.checkpoint");
        assert_eq!(parts(&name), Some(("2026-01-31".parse().unwrap(), 1042)));
        for other in
            ["x.checkpoint", "2026-01-31-1042.checkpoint", "2026-02-30-00000000000000001042.checkpoint"]
        {
            assert_eq!(parts(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_stay_and_the_last_of_each_day_before_them() {
        let day = |size: u64| match size {
            ..=10 => "2026-01-30",
            11..=20 => "2026-01-31",
            21.. => "2026-02-01",
        };
        let sizes = (1..=30).map(|size| named(day(size), size));
        let mut names: BTreeSet<String> = sizes.collect();
        names.insert("from-elsewhere.checkpoint".to_owned());
        let gone: BTreeSet<String> = superfluous(names.clone(), 5).into_iter().collect();
        let kept: Vec<_> =
            names.difference(&gone).filter_map(|name| parts(name)).map(|(_, size)| size).collect();
        // 25 is the last of the older ones of the last day.
        assert_eq!(kept, [10, 20, 25, 26, 27, 28, 29, 30]);
        assert!(!gone.contains("from-elsewhere.checkpoint"));
        assert_eq!(superfluous(names, 31), [""; 0]);
    }
}
