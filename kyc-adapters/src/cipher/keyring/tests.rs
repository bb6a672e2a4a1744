//! What a keyring refuses, and that it says so without showing a key.

use kyc_core::ports::entropy::NoEntropy;
use proptest::prelude::*;

use super::*;

const FIRST: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECOND: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
const THIRD: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";

fn good() -> String {
    let key = |version: u32, key| {
        format!("{{\"version\": {version}, \"key\": \"{key}\", \"created_at\": \"2026-01-01T00:00:00Z\"}}")
    };
    format!(
        "{{\"format\": 1,\n\"master_keys\": [{}, {}],\n\"current_master\": 2,\n\"fingerprint_keys\": [{}],\n\"current_fingerprint\": 7}}",
        key(1, FIRST),
        key(2, SECOND),
        key(7, THIRD),
    )
}

/// The good keyring with one change is refused, and the words of the error begin like this.
#[track_caller]
fn refused(from: &str, to: &str, words: &str) {
    let json = good().replacen(from, to, 1);
    assert_ne!(json, good(), "the change changes nothing");
    let error = Keyring::from_json(&Secret::new(json)).unwrap_err();
    let shown = format!("{error}");
    assert!(shown.starts_with(words), "{shown}");
    for text in [shown, format!("{error:?}")] {
        for key in [FIRST, SECOND, THIRD] {
            assert!(!text.contains(&key[..12]), "{text} shows a key");
        }
    }
}

#[test]
fn a_good_keyring_is_read() {
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    assert_eq!(keyring.current_master(), 2);
    assert_eq!(keyring.current_fingerprint(), 7);
    assert_eq!(
        keyring.master_keys().map(|(version, key)| (version, key[0])).collect::<Vec<_>>(),
        [(1, 0), (2, 32)]
    );
    assert_eq!(
        keyring.fingerprint_keys().map(|(version, key)| (version, key[0])).collect::<Vec<_>>(),
        [(7, 64)]
    );
}

#[test]
fn what_is_written_is_read_again() {
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    let json = text::write(&keyring).unwrap();
    let again = Keyring::from_json(&Secret::new(String::from_utf8(json.to_vec()).unwrap())).unwrap();
    assert_eq!(*text::write(&again).unwrap(), *json);
    assert!(again.fingerprint_keys().eq(keyring.fingerprint_keys()));
    assert!(again.master_keys().eq(keyring.master_keys()));
}

#[test]
fn another_format_is_told_from_a_mistake() {
    refused("\"format\": 1", "\"format\": 2", "the keyring has format 2 and this program reads format 1");
    refused("\"format\": 1", "\"format\": 0, \"later\": true", "the keyring has format 0");
}

#[test]
fn other_forms_are_refused_with_their_place() {
    for (from, to) in [
        ("\"format\": 1,", ""),
        ("\"format\": 1", "\"format\": \"1\""),
        ("\"current_master\": 2,", ""),
        ("\"current_master\": 2", "\"current_master\": 2, \"current_master\": 1"),
        ("\"current_master\": 2", "\"current_master\": -2"),
        ("\"current_master\": 2", "\"current_master\": 4294967296"),
        ("\"current_master\": 2", &format!("\"current_master\": \"{FIRST}\"")),
        ("\"current_master\": 2", &format!("\"{FIRST}\": 2")),
        ("\"version\": 1", "\"version\": 1, \"note\": \"ours\""),
        ("\"version\": 1, ", ""),
        ("2026-01-01T00:00:00Z", "yesterday"),
        ("{", "[{"),
        ("Hh8=\"", "Hh8\\u003d\""),
    ] {
        refused(from, to, "the keyring is not of the documented form at line ");
    }
    for (from, to) in [("7}", "7"), ("7}", "7} {}")] {
        refused(from, to, "the keyring is not of the documented form at line 5, column ");
    }
    assert!(matches!(
        Keyring::from_json(&Secret::new(String::new())),
        Err(KeyringError::Malformed { line: 1, column: 0 })
    ));
}

#[test]
fn a_key_that_is_not_32_bytes_in_base64_is_refused() {
    for bad in [
        "",
        "AAECAwQFBgcICQoLDA0ODw==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
        "-AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        " AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ] {
        refused(FIRST, bad, "master key 1 is not 32 bytes in base64");
        refused(THIRD, bad, "fingerprint key 7 is not 32 bytes in base64");
    }
}

#[test]
fn a_sample_key_is_refused() {
    for byte in [0, b'1', 255] {
        let sample = data_encoding::BASE64.encode(&[byte; KEY_LENGTH]);
        refused(SECOND, &sample, "master key 2 is one byte over and over");
        refused(THIRD, &sample, "fingerprint key 7 is one byte over and over");
    }
}

#[test]
fn a_version_or_a_key_that_is_there_twice_is_refused() {
    refused("\"version\": 2", "\"version\": 1", "two master keys have version 1");
    refused(SECOND, FIRST, "master key 2 is also another key");
    refused(THIRD, FIRST, "fingerprint key 7 is also another key");
}

#[test]
fn a_current_version_without_a_key_is_refused() {
    refused("\"current_master\": 2", "\"current_master\": 3", "the current master key is version 3");
    refused("\"version\": 7", "\"version\": 8", "the current fingerprint key is version 7");
    let (start, rest) =
        good().split_once("\"fingerprint_keys\": [").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let without = format!("{start}\"fingerprint_keys\": [{}", &rest[rest.find(']').unwrap()..]);
    refused(&good(), &without, "the current fingerprint key is version 7");
}

/// Another key each time, from a number.
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill(0x5a);
        bytes[0] = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}

fn counting() -> Counting {
    Counting(std::sync::atomic::AtomicU8::new(0))
}

fn versions(keyring: &Keyring) -> Vec<(KeyUse, u32, bool)> {
    keyring.list().into_iter().map(|key| (key.of, key.version, key.is_current)).collect()
}

#[test]
fn a_rotation_adds_the_next_version_and_makes_it_the_current_one() {
    use KeyUse::{Fingerprint, Master};
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    assert_eq!(versions(&keyring), [(Master, 1, false), (Master, 2, true), (Fingerprint, 7, true)]);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let rotated = keyring.rotated(Master, &counting(), now).unwrap();
    assert_eq!(
        versions(&rotated),
        [(Master, 1, false), (Master, 2, false), (Master, 3, true), (Fingerprint, 7, true)]
    );
    let new = rotated.list().into_iter().find(|key| key.version == 3).unwrap();
    assert_eq!(new.created_at, now);
    assert!(rotated.master_keys().take(2).eq(keyring.master_keys()), "the others stay as they are");
    let both = rotated.rotated(Fingerprint, &counting(), now).unwrap_err();
    assert!(matches!(both, KeyringError::KeyRepeated { of: Fingerprint, version: 8 }), "{both}");
    let both = rotated.rotated(Fingerprint, &Counting(9.into()), now).unwrap();
    assert_eq!((both.current_master(), both.current_fingerprint()), (3, 8));
    assert!(both.fingerprint_keys().take(1).eq(keyring.fingerprint_keys()));
}

#[test]
fn the_next_version_is_behind_the_newest_and_not_behind_the_current_one() {
    let json = good().replace("\"current_master\": 2", "\"current_master\": 1");
    let keyring = Keyring::from_json(&Secret::new(json)).unwrap();
    let rotated = keyring.rotated(KeyUse::Master, &counting(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(rotated.current_master(), 3);
    let json = good().replace("\"version\": 1", "\"version\": 4294967295");
    let keyring = Keyring::from_json(&Secret::new(json)).unwrap();
    let none_left = keyring.rotated(KeyUse::Master, &counting(), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(matches!(none_left, KeyringError::NoVersionLeft { of: KeyUse::Master }), "{none_left}");
}

#[test]
fn only_a_version_that_is_held_and_not_in_use_is_retired() {
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    let refused = |of, version| keyring.retired(of, version).unwrap_err();
    assert!(matches!(refused(KeyUse::Master, 2), KeyringError::InUse { of: KeyUse::Master, version: 2 }));
    assert!(matches!(refused(KeyUse::Fingerprint, 7), KeyringError::InUse { .. }));
    assert!(matches!(refused(KeyUse::Master, 7), KeyringError::NotHeld { version: 7, .. }));
    assert!(matches!(refused(KeyUse::Fingerprint, 1), KeyringError::NotHeld { version: 1, .. }));
    let retired = keyring.retired(KeyUse::Master, 1).unwrap();
    assert_eq!(versions(&retired), [(KeyUse::Master, 2, true), (KeyUse::Fingerprint, 7, true)]);
    assert!(retired.fingerprint_keys().eq(keyring.fingerprint_keys()));
}

#[test]
fn a_key_that_differs_under_the_same_version_is_told() {
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    let rotated = keyring.rotated(KeyUse::Master, &counting(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(keyring.first_difference(&rotated), None);
    assert_eq!(rotated.first_difference(&keyring.retired(KeyUse::Master, 1).unwrap()), None);
    for (key, of, version) in
        [(FIRST, KeyUse::Master, 1), (SECOND, KeyUse::Master, 2), (THIRD, KeyUse::Fingerprint, 7)]
    {
        let other = good().replace(key, "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=");
        let other = Keyring::from_json(&Secret::new(other)).unwrap();
        assert_eq!(rotated.first_difference(&other), Some((of, version)));
    }
}

proptest! {
    /// Whatever is done in whatever order: no version comes back, each key keeps its bytes, the current one is
    /// there and the newest of its use, and what is written is read again.
    #[test]
    fn any_history_of_rotations_and_retirements_keeps_the_keyring_whole(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0_usize..8), 0..40),
    ) {
        let entropy = counting();
        let mut keyring = Keyring::from_json(&Secret::new(good())).unwrap();
        let mut seen = std::collections::BTreeMap::new();
        for (rotates, is_master, which) in steps {
            let of = if is_master { KeyUse::Master } else { KeyUse::Fingerprint };
            let held: Vec<_> = keyring.list().into_iter().filter(|key| key.of == of).collect();
            keyring = if rotates {
                let next = keyring.rotated(of, &entropy, Timestamp::UNIX_EPOCH).unwrap();
                let current = next.list().into_iter().find(|key| key.of == of && key.is_current).unwrap();
                prop_assert!(held.iter().all(|key| key.version < current.version));
                next
            } else {
                let one = held[which % held.len()];
                match keyring.retired(of, one.version) {
                    Ok(next) => next,
                    Err(error) => {
                        prop_assert!(one.is_current, "{error}");
                        continue;
                    }
                }
            };
            for (of, keys) in [(KeyUse::Master, keyring.master_keys().collect::<Vec<_>>()),
                               (KeyUse::Fingerprint, keyring.fingerprint_keys().collect())] {
                for (version, key) in keys {
                    let first = *seen.entry((of, version)).or_insert(*key);
                    prop_assert_eq!(first, *key, "a version has one key for ever");
                }
            }
            let json = text::write(&keyring).unwrap();
            let again = Keyring::from_json(&Secret::new(String::from_utf8(json.to_vec()).unwrap())).unwrap();
            prop_assert_eq!(&*text::write(&again).unwrap(), &*json);
        }
    }
}
