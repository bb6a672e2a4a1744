//! Who may read the file, and that nothing is ever written over.

use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt, symlink};

use kyc_core::Secret;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::Cipher;
use kyc_core::ports::cipher::Context;
use kyc_core::ports::entropy::NoEntropy;
use ring::rand::{SecureRandom, SystemRandom};
use tempfile::TempDir;

use super::*;
use crate::cipher::{FingerprintKind, RingCipher};

/// Random bytes, without the adapter of another feature.
struct Random;

impl Entropy for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        SystemRandom::new().fill(bytes).map_err(|_| NoEntropy)
    }
}

/// A source that gives the same byte for ever.
struct Constant(u8);

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(self.0);
        Ok(())
    }
}

/// A source that fails.
struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

/// A folder with a new keyring in it.
fn created() -> (TempDir, PathBuf, Keyring) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keyring.json");
    let keyring = Keyring::create(&path, &Random, Timestamp::UNIX_EPOCH).unwrap();
    (folder, path, keyring)
}

fn names(folder: &TempDir) -> Vec<OsString> {
    fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_keyring_is_its_owners_alone_and_leaves_no_other_file() {
    let (folder, path, _) = created();
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.is_file());
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(names(&folder), ["keyring.json"]);
}

#[test]
fn what_was_created_is_loaded_and_opens_what_the_other_sealed() {
    let (_folder, path, keyring) = created();
    let made = RingCipher::new(&keyring).unwrap();
    let loaded = RingCipher::new(&Keyring::load(&path).unwrap()).unwrap();
    let subject = SubjectId::from_bytes([1; 16]);
    let context = Context { subject, table: "customer_version", field: "data", row: b"1" };
    let key = made.new_data_key(subject).unwrap();
    let sealed = made.seal(&key, &context, b"Ada Lovelace").unwrap();
    assert_eq!(loaded.open(&key, &context, &sealed).unwrap().expose(), b"Ada Lovelace");
    let value = Secret::new(String::from("ada@example.com"));
    for kind in FingerprintKind::ALL {
        assert_eq!(made.fingerprint(*kind, &value), loaded.fingerprint(*kind, &value));
    }
}

#[test]
fn two_new_keyrings_share_no_key() {
    let ((_first, _, first), (_second, _, second)) = (created(), created());
    let keys = |keyring: &Keyring| {
        let all = keyring.master_keys().chain(keyring.fingerprint_keys());
        all.map(|(_, key)| *key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&first).len(), 2);
    assert!(keys(&first).iter().all(|key| !keys(&second).contains(key)));
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keyring.json");
    fs::write(&path, "something").unwrap();
    let created = Keyring::create(&path, &Random, Timestamp::UNIX_EPOCH);
    assert!(matches!(created, Err(KeyringError::Exists { .. })), "{created:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "something");
    assert_eq!(names(&folder), ["keyring.json"]);
}

#[test]
fn a_link_that_leads_nowhere_is_not_followed_when_creating() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keyring.json");
    symlink(folder.path().join("elsewhere"), &path).unwrap();
    let created = Keyring::create(&path, &Random, Timestamp::UNIX_EPOCH);
    assert!(matches!(created, Err(KeyringError::Exists { .. })), "{created:?}");
    assert_eq!(names(&folder), ["keyring.json"]);
}

#[test]
fn a_source_without_randomness_makes_no_keyring() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keyring.json");
    let create = |entropy: &dyn Entropy| Keyring::create(&path, entropy, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(create(&Dry), KeyringError::NoEntropy));
    assert!(matches!(create(&Constant(0)), KeyringError::WeakKey { .. }));
    assert!(matches!(create(&Constant(7)), KeyringError::WeakKey { .. }));
    assert!(names(&folder).is_empty());
}

#[test]
fn a_folder_that_is_missing_and_a_path_without_a_name_are_refused() {
    let folder = TempDir::new().unwrap();
    let create = |path: &Path| Keyring::create(path, &Random, Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(create(&folder.path().join("missing/keyring.json")), KeyringError::Io { .. }));
    assert!(matches!(create(&folder.path().join("..")), KeyringError::NotAFile { .. }));
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    let (_folder, path, _) = created();
    for mode in [0o644, 0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o660, 0o666, 0o777] {
        set_mode(&path, mode);
        let error = Keyring::load(&path).unwrap_err();
        assert!(matches!(error, KeyringError::OpenToOthers { mode: found, .. } if found == mode), "{error}");
        assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
    }
    for mode in [0o600, 0o400] {
        set_mode(&path, mode);
        Keyring::load(&path).unwrap();
    }
}

#[test]
fn a_link_is_judged_by_what_it_leads_to() {
    let (folder, path, _) = created();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    Keyring::load(&link).unwrap();
    set_mode(&path, 0o644);
    assert!(matches!(Keyring::load(&link), Err(KeyringError::OpenToOthers { mode: 0o644, .. })));
}

#[test]
fn what_is_no_keyring_is_refused() {
    let (folder, path, _) = created();
    assert!(matches!(Keyring::load(&folder.path().join("other")), Err(KeyringError::Missing { .. })));
    assert!(matches!(Keyring::load(folder.path()), Err(KeyringError::NotAFile { .. })));
    assert!(matches!(Keyring::load(&path.join("within")), Err(KeyringError::Io { .. })));
    for (content, words) in [
        (Vec::new(), "the keyring is not of the documented form"),
        (vec![0xff; 100], "the keyring is not of the documented form"),
        (vec![b' '; 64 * 1024 + 1], "larger than 65536 bytes"),
    ] {
        fs::write(&path, content).unwrap();
        let error = Keyring::load(&path).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_keyring_of_the_largest_size_is_read() {
    let (_folder, path, _) = created();
    let mut json = fs::read(&path).unwrap();
    json.resize(64 * 1024, b'\n');
    fs::write(&path, json).unwrap();
    Keyring::load(&path).unwrap();
}

#[test]
fn a_torn_file_is_refused_at_every_length() {
    let (_folder, path, _) = created();
    let json = fs::read(&path).unwrap();
    for length in 0..json.len() - 1 {
        fs::write(&path, &json[..length]).unwrap();
        assert!(matches!(Keyring::load(&path), Err(KeyringError::Malformed { .. })), "{length}");
    }
}

#[test]
fn who_may_read_a_keyring_is_decided_by_mode_and_owner() {
    let (root, other) = (0, 1000);
    for mode in [0o600, 0o400, 0o700, 0o000] {
        assert!(is_private(mode, root) && is_private(mode, other), "{mode:o}");
    }
    // A secret that is mounted: root's, and read through the group.
    assert!(is_private(0o440, root) && is_private(0o040, root));
    assert!(!is_private(0o440, other) && !is_private(0o040, other), "another user's group is anybody's");
    for mode in [0o640, 0o660, 0o460, 0o450, 0o444, 0o644, 0o404, 0o442, 0o441, 0o4440] {
        assert!(!is_private(mode, root) && !is_private(mode, other), "{mode:o}");
    }
}

#[test]
fn a_mounted_secret_is_read_where_it_is_roots() {
    let (folder, path, _) = created();
    set_mode(&path, 0o440);
    // As Kubernetes lays it out: the name is a link into a folder that is exchanged as a whole.
    let link = folder.path().join("mounted.json");
    symlink("keyring.json", &link).unwrap();
    let is_roots = fs::metadata(&path).unwrap().uid() == 0;
    assert_eq!(Keyring::load(&link).is_ok(), is_roots);
}

fn rotated(keyring: &Keyring) -> Keyring {
    keyring.rotated(kyc_core::domain::key_use::KeyUse::Master, &Random, Timestamp::UNIX_EPOCH).unwrap()
}

#[test]
fn a_keyring_takes_the_place_of_the_file_in_one_step() {
    let (folder, path, keyring) = created();
    set_mode(&path, 0o400);
    let before = fs::read(&path).unwrap();
    let prepared = rotated(&keyring).prepare(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "until then the old one is there");
    let beside = names(&folder).into_iter().find(|name| name != "keyring.json").unwrap();
    let beside = folder.path().join(beside);
    assert_eq!(fs::metadata(&beside).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(Keyring::load(&beside).unwrap().current_master(), 2, "and the new one is whole");
    prepared.put_in_place().unwrap();
    assert_eq!(Keyring::load(&path).unwrap().current_master(), 2);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(names(&folder), ["keyring.json"]);
}

#[test]
fn what_is_not_put_in_place_leaves_nothing() {
    let (folder, path, keyring) = created();
    drop(rotated(&keyring).prepare(&path).unwrap());
    assert_eq!(Keyring::load(&path).unwrap().current_master(), 1);
    assert_eq!(names(&folder), ["keyring.json"]);
}

#[test]
fn what_a_crash_left_beside_the_file_goes_with_the_next_attempt() {
    let (folder, path, keyring) = created();
    fs::write(folder.path().join(".keyring.json.0011223344556677.new"), "keys").unwrap();
    fs::write(folder.path().join(".other.json.0011223344556677.new"), "of somebody else").unwrap();
    fs::write(folder.path().join("keyring.json.new"), "of the operator").unwrap();
    rotated(&keyring).prepare(&path).unwrap().put_in_place().unwrap();
    let mut left = names(&folder);
    left.sort();
    assert_eq!(left, [".other.json.0011223344556677.new", "keyring.json", "keyring.json.new"]);
}

#[test]
fn a_link_is_not_exchanged_and_neither_is_what_is_not_there() {
    let (folder, path, keyring) = created();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    let refused = |path: &Path| rotated(&keyring).prepare(path).unwrap_err();
    assert!(matches!(refused(&link), KeyringError::ReadOnly { .. }));
    assert!(matches!(refused(&folder.path().join("missing")), KeyringError::Missing { .. }));
    assert!(matches!(refused(&folder.path().join("missing/keyring.json")), KeyringError::Missing { .. }));
    let mut left = names(&folder);
    left.sort();
    assert_eq!(left, ["keyring.json", "link"]);
}

#[test]
fn a_keyring_that_would_not_be_read_again_is_not_written() {
    let (_folder, path, keyring) = created();
    let mut large = rotated(&keyring);
    let refused = loop {
        match large.prepare(&path) {
            Ok(prepared) => drop(prepared),
            Err(error) => break error,
        }
        for _ in 0..50 {
            large = rotated(&large);
        }
    };
    assert!(matches!(refused, KeyringError::TooLarge { .. }), "{refused}");
    Keyring::load(&path).unwrap();
}
