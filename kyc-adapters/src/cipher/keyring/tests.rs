//! What a keyring refuses, and that it says so without showing a key.

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
    assert_eq!(keyring.fingerprint_key().unwrap()[0], 64);
}

#[test]
fn what_is_written_is_read_again() {
    let keyring = Keyring::from_json(&Secret::new(good())).unwrap();
    let json = text::write(&keyring).unwrap();
    let again = Keyring::from_json(&Secret::new(String::from_utf8(json.to_vec()).unwrap())).unwrap();
    assert_eq!(*text::write(&again).unwrap(), *json);
    assert_eq!(again.fingerprint_key(), keyring.fingerprint_key());
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
