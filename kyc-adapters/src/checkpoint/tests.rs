//! Real signatures, and a folder of files that may have been changed by anybody.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use kyc_core::domain::audit::AuditHash;
use ring::signature::Ed25519KeyPair;
use tempfile::TempDir;

use super::*;

/// The vector of kyc-core's tests: made by Python's `cryptography`, of the seed `00 01 … 1f`.
const NOTE: &str = "kyc-audit/56475aa75463474c\n3\nisp39sWT4dj1VYc2IXjIY5q9gT/PbGPEfylNDBBuGe0=\n\
                    time 2026-01-31T12:00:00Z\n\n\u{2014} kyc-audit/56475aa75463474c \
                    ERZVvNebx85zUHG3bu+CEwA7NdOynaWhDdpLMYSwUDK8WMuCzj88mzNaSi7Y3irgNzptrAj7H3QKe6jEGU+Hg8uYhAA=\n";

fn checkpoint(size: u64) -> Checkpoint {
    let at = "2026-01-31T12:00:00Z".parse().unwrap();
    Checkpoint { size, head: AuditHash::from_bytes([9; 32]), at }
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("checkpoint.key")
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("a/checkpoints")
    }

    fn open(&self) -> Result<(Checkpoints, Option<Checkpoint>), CheckpointError> {
        Checkpoints::open(&self.key(), &self.checkpoints())
    }

    /// The only file of the folder.
    fn file(&self) -> PathBuf {
        let files: Vec<_> = fs::read_dir(self.checkpoints()).unwrap().collect();
        let [Ok(file)] = &files[..] else { panic!("one file: {files:?}") };
        file.path()
    }
}

#[test]
fn a_signature_is_the_one_that_another_implementation_makes() {
    let seed: Vec<u8> = (0..32).collect();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let public = ring::signature::KeyPair::public_key(&pair).as_ref().try_into().unwrap();
    let key = VerifierKey::of_audit_log(public);
    let opened = Checkpoint::open(NOTE, &key, verify).unwrap();
    let signature = pair.sign(opened.text(&key).as_bytes()).as_ref().try_into().unwrap();
    assert_eq!(opened.note(&key, &signature), NOTE);
    let changed = NOTE.replace("\n3\n", "\n4\n");
    assert_eq!(Checkpoint::open(&changed, &key, verify), Err(NoteFault::BadSignature));
}

#[test]
fn key_and_folder_are_made_once_and_what_was_kept_is_found_again() {
    let place = Place::new();
    let (first, newest) = place.open().unwrap();
    assert_eq!(newest, None);
    for size in [7, 9, 8] {
        let note = first.keep(&checkpoint(size)).unwrap();
        assert_eq!(Checkpoint::open(&note, first.verifier(), verify), Ok(checkpoint(size)));
    }
    let (again, newest) = place.open().unwrap();
    assert_eq!((again.verifier(), newest), (first.verifier(), Some(checkpoint(9))));
    for (path, mode) in [(place.key(), 0o600), (place.checkpoints(), 0o700)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    assert_eq!(fs::read_dir(place.checkpoints()).unwrap().count(), 3);
}

#[test]
fn a_later_checkpoint_of_the_same_day_and_size_replaces_the_one_before() {
    let place = Place::new();
    let (checkpoints, _) = place.open().unwrap();
    checkpoints.keep(&checkpoint(7)).unwrap();
    let later = Checkpoint { at: "2026-01-31T13:00:00Z".parse().unwrap(), ..checkpoint(7) };
    checkpoints.keep(&later).unwrap();
    place.file();
    assert_eq!(place.open().unwrap().1, Some(later));
}

#[test]
fn a_checkpoint_that_was_changed_or_signed_by_others_is_named_and_refused() {
    let place = Place::new();
    let (checkpoints, _) = place.open().unwrap();
    let note = checkpoints.keep(&checkpoint(7)).unwrap();
    let file = place.file();
    for (text, fault) in [
        (note.replace("\n7\n", "\n6\n"), NoteFault::BadSignature),
        (NOTE.to_owned(), NoteFault::OtherKey),
        (String::new(), NoteFault::Malformed),
        ("\u{2014}".repeat(100_000), NoteFault::Malformed),
    ] {
        fs::write(&file, text).unwrap();
        let error = place.open().unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Note { path, fault: found } if (path, found) == (&file, &fault))
        );
        assert!(error.to_string().starts_with(&format!("{}: ", file.display())), "{error}");
    }
    fs::write(&file, [0xff; 10]).unwrap();
    assert!(matches!(place.open(), Err(CheckpointError::Note { fault: NoteFault::Malformed, .. })));
}

#[test]
fn files_of_others_are_left_alone() {
    let place = Place::new();
    place.open().unwrap();
    fs::write(place.checkpoints().join("README"), "not ours").unwrap();
    fs::write(place.checkpoints().join(".x.checkpoint.00.new"), "half").unwrap();
    assert_eq!(place.open().unwrap().1, None);
}

#[test]
fn a_key_that_is_lost_is_not_made_anew_beside_what_it_signed() {
    let place = Place::new();
    place.open().unwrap().0.keep(&checkpoint(7)).unwrap();
    fs::remove_file(place.key()).unwrap();
    assert!(matches!(place.open(), Err(CheckpointError::KeyLost { .. })));
    assert!(!place.key().exists());
    fs::remove_file(place.file()).unwrap();
    place.open().unwrap();
}

#[test]
fn a_key_that_others_may_read_and_what_is_no_key_are_refused() {
    let place = Place::new();
    assert!(matches!(CheckpointKey::load(&place.key()), Err(CheckpointError::KeyMissing { .. })));
    CheckpointKey::create(&place.key()).unwrap();
    let bytes = fs::read(place.key()).unwrap();
    assert!(matches!(CheckpointKey::create(&place.key()), Err(CheckpointError::Io { .. })));
    assert_eq!(fs::read(place.key()).unwrap(), bytes, "it is as it was");
    fs::set_permissions(place.key(), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        CheckpointKey::load(&place.key()),
        Err(CheckpointError::KeyOpenToOthers { mode: 0o640, .. })
    ));
    fs::set_permissions(place.key(), fs::Permissions::from_mode(0o600)).unwrap();
    for wrong in [&[][..], &bytes[1..], &[bytes.as_slice(), &[0]].concat(), &[0; 5000]] {
        fs::write(place.key(), wrong).unwrap();
        assert!(matches!(CheckpointKey::load(&place.key()), Err(CheckpointError::NotAKey { .. })));
    }
    assert!(matches!(CheckpointKey::load(place.folder.path()), Err(CheckpointError::NotAKey { .. })));
}

#[test]
fn no_debug_shows_the_key() {
    let place = Place::new();
    let key = CheckpointKey::create(&place.key()).unwrap();
    assert_eq!(format!("{key:?}"), format!("CheckpointKey({})", key.verifier().name()));
}
