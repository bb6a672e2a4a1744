//! Files that only their owner can read, and that appear whole and durable, or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};

/// How the name of a file ends that has no place yet.
const ENDING: &str = ".new";

/// A file that is written beside its place, under another name. One that is dropped before it has its place is
/// removed.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    temporary: PathBuf,
    place: PathBuf,
}

impl NewFile {
    /// A new file for this place, with access for its owner only from its first moment on.
    ///
    /// # Errors
    /// Where the folder can't be written to.
    pub fn beside(place: &Path) -> io::Result<Self> {
        let name = place.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
        let mut temporary = OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}{ENDING}", HEXLOWER.encode(&random)));
        let temporary = folder(place).join(temporary);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        Ok(Self { file, temporary, place: place.to_owned() })
    }

    /// Has it the owner and the group of another file.
    ///
    /// # Errors
    /// Where this process may not give it away.
    pub fn give_to(&self, other: &fs::Metadata) -> io::Result<()> {
        let now = self.file.metadata()?;
        if (now.uid(), now.gid()) == (other.uid(), other.gid()) {
            return Ok(());
        }
        fchown(&self.file, Some(other.uid()), Some(other.gid()))
    }

    /// Makes durable what was written, so that little can fail when it is put in its place.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Removes what crashes left of files for this place. What can't be removed is its owner's alone.
    pub fn sweep(place: &Path) {
        let Some(begins) = place.file_name().and_then(|name| name.to_str()).map(|name| format!(".{name}."))
        else {
            return;
        };
        for entry in fs::read_dir(folder(place)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with(&begins) && name.ends_with(ENDING)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Puts it in its place, where it replaces what may be there.
    ///
    /// # Errors
    /// Where it can't be made durable or moved; its place is then as it was, or has the new file.
    pub fn replace(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.place)?;
        sync_folder(&self.place)
    }

    /// Puts it in its place, where nothing may be yet.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] where something is; others where it can't be made durable, or the folder
    /// knows no hard links.
    pub fn settle(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::hard_link(&self.temporary, &self.place)?;
        sync_folder(&self.place)
    }
}

/// What is written goes to the file at once, so that no buffer is left behind with keys in it.
impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Once it was moved it is not there; and where it can't be removed there is nobody left to tell.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Reads a file into a buffer as far as it goes; how many bytes there were. A buffer that is full at the end may
/// have been too small.
pub(crate) fn read_into(mut file: File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The name of a new file survives the loss of power only when its folder is synced as well.
fn sync_folder(place: &Path) -> io::Result<()> {
    File::open(folder(place))?.sync_all()
}

fn folder(place: &Path) -> &Path {
    match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_replaces_another_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        fs::write(&place, "before").unwrap();
        let mut file = NewFile::beside(&place).unwrap();
        file.write_all(b"after").unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"before", "not before it is whole");
        file.replace().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"after");
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_file_that_must_be_the_first_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        let mut file = NewFile::beside(&place).unwrap();
        file.write_all(b"first").unwrap();
        file.settle().unwrap();
        let second = NewFile::beside(&place).unwrap().settle().unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&place).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        drop(NewFile::beside(&folder.path().join("out")).unwrap());
        assert_eq!(names(folder.path()), [""; 0]);
        assert!(NewFile::beside(Path::new("/")).is_err());
    }
}
