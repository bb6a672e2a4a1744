//! What binds a sealed value and a wrapped key to their place, bit by bit and part by part.

use std::cell::RefCell;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kyc_core::domain::key_use::KeyUse;
use kyc_core::ports::Entropy;
use kyc_core::ports::entropy::NoEntropy;
use proptest::collection::vec;
use proptest::prelude::*;

use super::held::wrap_associated_data;
use super::*;

/// Keys of 0, 1, 2, …, of 32, 33, … and of 64, 65, …, so that other programs can check the vectors below.
const KEYRING: &str = r#"{
    "format": 1,
    "master_keys": [
        {"version": 1, "key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "created_at": "2026-01-01T00:00:00Z"},
        {"version": 3, "key": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=", "created_at": "2026-02-01T00:00:00Z"}
    ],
    "current_master": 3,
    "fingerprint_keys": [
        {"version": 5, "key": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=", "created_at": "2026-01-01T00:00:00Z"}
    ],
    "current_fingerprint": 5
}"#;

const ADA: SubjectId = SubjectId::from_bytes([1; 16]);
const GRACE: SubjectId = SubjectId::from_bytes([2; 16]);
const PLAINTEXT: &[u8] = b"born on the tenth of December 1815";

fn cipher() -> RingCipher {
    cipher_of(KEYRING)
}

fn cipher_of(json: &str) -> RingCipher {
    RingCipher::new(&Keyring::from_json(&Secret::new(json.to_owned())).unwrap()).unwrap()
}

fn place(subject: SubjectId) -> Context<'static> {
    Context { subject, table: "customer_version", field: "data", row: b"7" }
}

/// A cipher, a data key of Ada's and a value that is sealed under it.
fn sealed() -> (RingCipher, WrappedKey, Sealed) {
    let cipher = cipher();
    let key = cipher.new_data_key(ADA).unwrap();
    let sealed = cipher.seal(&key, &place(ADA), PLAINTEXT).unwrap();
    (cipher, key, sealed)
}

/// The bytes with each bit flipped in turn.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn the_contract_holds() {
    kyc_core::contract::cipher::all(&cipher());
}

/// Random bytes, without the adapter of another feature.
struct Random;

impl Entropy for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        SystemRandom::new().fill(bytes).map_err(|_| NoEntropy)
    }
}

fn keyring() -> Keyring {
    // One version of each, as the contract asks.
    let json = KEYRING.replace("\"version\": 1, \"key\": \"AAEC", "\"version\": 2, \"key\": \"/wEC");
    let keyring = Keyring::from_json(&Secret::new(json)).unwrap();
    keyring.retired(KeyUse::Master, 2).unwrap()
}

#[test]
fn keys_rotate_while_the_cipher_is_used() {
    let keyring = RefCell::new(keyring());
    let cipher = RingCipher::new(&keyring.borrow()).unwrap();
    let change = |next: Keyring| {
        cipher.install(&next).unwrap();
        keyring.replace(next);
    };
    let rotate = |of| {
        let next = keyring.borrow().rotated(of, &Random, Timestamp::UNIX_EPOCH).unwrap();
        change(next);
    };
    let retire = |of, version| {
        let next = keyring.borrow().retired(of, version).unwrap();
        change(next);
    };
    kyc_core::contract::cipher::rotations(&cipher, &rotate, &retire);
}

/// Threads seal, open, wrap again and look up, while the keys are exchanged under them over and over.
#[test]
fn no_call_fails_while_keys_are_exchanged_and_none_mixes_two_keyrings() {
    let old = keyring();
    let later = Timestamp::UNIX_EPOCH;
    let new = old.rotated(KeyUse::Master, &Random, later).unwrap();
    let new = new.rotated(KeyUse::Fingerprint, &Random, later).unwrap();
    let cipher = RingCipher::new(&new).unwrap();
    let value = Secret::new(String::from("ada@example.com"));
    let both = cipher.fingerprints(FingerprintKind::Email, &value);
    let first = cipher.new_data_key(ADA).unwrap();
    cipher.install(&old).unwrap();
    let old_key = cipher.new_data_key(ADA).unwrap();
    let sealed = cipher.seal(&old_key, &place(ADA), PLAINTEXT).unwrap();
    // One that holds both versions, with the older one in use: what is under either opens.
    let before = Keyring::from_json(&Secret::new(older_is_current(&new))).unwrap();
    let work = || {
        for _ in 0..200 {
            assert_eq!(cipher.open(&old_key, &place(ADA), &sealed).unwrap().expose(), PLAINTEXT);
            let again = cipher.rewrap(&old_key, ADA).unwrap();
            assert!([3, 4].contains(&again.master_version));
            assert_eq!(cipher.open(&again, &place(ADA), &sealed).unwrap().expose(), PLAINTEXT);
            assert!(cipher.seal(&first, &place(ADA), PLAINTEXT).is_ok());
            assert!(cipher.seal(&cipher.new_data_key(ADA).unwrap(), &place(ADA), PLAINTEXT).is_ok());
            let found = cipher.fingerprints(FingerprintKind::Email, &value);
            assert!(found == both || found == [both[1], both[0]], "one keyring or the other");
        }
    };
    cipher.install(&before).unwrap();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        while !workers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            cipher.install(&new).unwrap();
            cipher.install(&before).unwrap();
        }
    });
}

/// The same keys, of which the ones before the last are in use.
fn older_is_current(keyring: &Keyring) -> String {
    let json = String::from_utf8(keyring::json(keyring).to_vec()).unwrap();
    json.replace("\"current_master\": 4", "\"current_master\": 3")
        .replace("\"current_fingerprint\": 6", "\"current_fingerprint\": 5")
}

#[test]
fn a_keyring_of_the_old_key_alone_opens_nothing_that_was_wrapped_again() {
    let old = keyring();
    let cipher = RingCipher::new(&old).unwrap();
    let key = cipher.new_data_key(ADA).unwrap();
    let sealed = cipher.seal(&key, &place(ADA), PLAINTEXT).unwrap();
    cipher.install(&old.rotated(KeyUse::Master, &Random, Timestamp::UNIX_EPOCH).unwrap()).unwrap();
    let again = cipher.rewrap(&key, ADA).unwrap();
    let thief = RingCipher::new(&old).unwrap();
    assert_eq!(thief.open(&again, &place(ADA), &sealed).unwrap_err(), CipherError::UnknownKeyVersion(4));
    // Nor does it where the version is written over by hand.
    let renamed = WrappedKey { master_version: 3, ..again };
    assert_eq!(thief.open(&renamed, &place(ADA), &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn a_flipped_bit_anywhere_in_a_sealed_value_is_refused() {
    let (cipher, key, sealed) = sealed();
    for flipped in flips(sealed.as_bytes()) {
        let opened = cipher.open(&key, &place(ADA), &Sealed::from_bytes(flipped));
        assert_eq!(opened.unwrap_err(), CipherError::Unreadable);
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_wrapped_key_is_refused() {
    let (cipher, key, sealed) = sealed();
    for bytes in flips(&key.bytes) {
        let flipped = WrappedKey { bytes, ..key };
        assert_eq!(cipher.open(&flipped, &place(ADA), &sealed).unwrap_err(), CipherError::Unreadable);
        assert_eq!(cipher.seal(&flipped, &place(ADA), PLAINTEXT).unwrap_err(), CipherError::Unreadable);
    }
}

#[test]
fn a_value_cut_to_any_length_or_grown_is_refused() {
    let (cipher, key, sealed) = sealed();
    let cut = (0..sealed.as_bytes().len()).map(|length| sealed.as_bytes()[..length].to_vec());
    for bytes in cut.chain([[sealed.as_bytes(), b"\0"].concat()]) {
        let opened = cipher.open(&key, &place(ADA), &Sealed::from_bytes(bytes));
        assert_eq!(opened.unwrap_err(), CipherError::Unreadable);
    }
}

#[test]
fn a_wrapped_key_cut_to_any_length_or_grown_is_refused() {
    let (cipher, key, sealed) = sealed();
    let cut = (0..key.bytes.len()).map(|length| key.bytes[..length].to_vec());
    for bytes in cut.chain([[&key.bytes[..], b"\0"].concat()]) {
        let opened = cipher.open(&WrappedKey { bytes, ..key }, &place(ADA), &sealed);
        assert_eq!(opened.unwrap_err(), CipherError::Unreadable);
    }
}

#[test]
fn a_value_opens_in_its_own_place_only() {
    let (cipher, key, sealed) = sealed();
    let own = place(ADA);
    assert_eq!(cipher.open(&key, &own, &sealed).unwrap().expose(), PLAINTEXT);
    for other in [
        Context { subject: GRACE, ..own },
        Context { table: "customer_versio", ..own },
        Context { field: "answer", ..own },
        Context { row: b"8", ..own },
        Context { row: b"", ..own },
        Context { table: "customer_versiond", field: "ata", ..own },
    ] {
        assert_eq!(cipher.open(&key, &other, &sealed).unwrap_err(), CipherError::Unreadable, "{other:?}");
    }
}

/// The subject is bound to the payload itself too, not only through the wrap of its key.
#[test]
fn a_value_does_not_open_for_another_subject_whose_key_is_the_same() {
    let (cipher, key, sealed) = sealed();
    let keys = cipher.keys();
    let master = keys.master(key.master_version).unwrap();
    let data_key = master.open(&wrap_associated_data(ADA, key.master_version), &key.bytes).unwrap();
    let rewrapped = master
        .seal(cipher.nonce().unwrap(), &wrap_associated_data(GRACE, key.master_version), &data_key)
        .unwrap();
    let key = WrappedKey { bytes: rewrapped, ..key };
    assert!(cipher.seal(&key, &place(GRACE), PLAINTEXT).is_ok());
    assert_eq!(cipher.open(&key, &place(GRACE), &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn the_wrapped_key_of_another_subject_is_refused() {
    let cipher = cipher();
    let graces = cipher.new_data_key(GRACE).unwrap();
    assert_eq!(cipher.seal(&graces, &place(ADA), PLAINTEXT).unwrap_err(), CipherError::Unreadable);
    let sealed = cipher.seal(&graces, &place(GRACE), PLAINTEXT).unwrap();
    assert_eq!(cipher.open(&graces, &place(ADA), &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn another_key_of_the_same_subject_is_refused() {
    let (cipher, _, sealed) = sealed();
    let another = cipher.new_data_key(ADA).unwrap();
    assert_eq!(cipher.open(&another, &place(ADA), &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn a_wrapped_key_opens_under_its_own_master_version_only() {
    let (cipher, key, sealed) = sealed();
    assert_eq!(key.master_version, 3);
    for (master_version, error) in [(1, CipherError::Unreadable), (2, CipherError::UnknownKeyVersion(2))] {
        let moved = WrappedKey { master_version, bytes: key.bytes.clone() };
        assert_eq!(cipher.open(&moved, &place(ADA), &sealed).unwrap_err(), error);
        assert_eq!(cipher.seal(&moved, &place(ADA), PLAINTEXT).unwrap_err(), error);
    }
}

/// The same master key under another version: only the associated data tells the two apart.
#[test]
fn the_master_version_is_bound_to_the_wrap() {
    let (_, key, sealed) = sealed();
    let renumbered = cipher_of(&KEYRING.replace("\"version\": 3", "\"version\": 4").replace(": 3,", ": 4,"));
    let moved = WrappedKey { master_version: 4, bytes: key.bytes };
    assert_eq!(renumbered.open(&moved, &place(ADA), &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn what_an_older_master_key_wrapped_still_opens() {
    let older = cipher_of(&KEYRING.replace("\"current_master\": 3", "\"current_master\": 1"));
    let key = older.new_data_key(ADA).unwrap();
    assert_eq!(key.master_version, 1);
    let sealed = older.seal(&key, &place(ADA), PLAINTEXT).unwrap();
    assert_eq!(cipher().open(&key, &place(ADA), &sealed).unwrap().expose(), PLAINTEXT);
}

#[test]
fn two_seals_of_one_plaintext_share_nothing_but_the_header() {
    let (cipher, key, first) = sealed();
    let second = cipher.seal(&key, &place(ADA), PLAINTEXT).unwrap();
    let bodies = first.as_bytes()[33..].iter().zip(&second.as_bytes()[33..]);
    let equal = bodies.filter(|(first, second)| first == second).count();
    assert!(equal < 16, "{equal} of 62 random bytes are equal");
    assert_ne!(cipher.new_data_key(ADA).unwrap().bytes, cipher.new_data_key(ADA).unwrap().bytes);
}

#[test]
fn fingerprints_are_equal_for_one_kind_and_value_only() {
    let cipher = cipher();
    let value = Secret::new(String::from("925076473"));
    let mut seen = std::collections::HashSet::new();
    for kind in FingerprintKind::ALL {
        let fingerprint = cipher.fingerprint(*kind, &value);
        assert_eq!(fingerprint, cipher_of(KEYRING).fingerprint(*kind, &value));
        assert_eq!((fingerprint.kind, fingerprint.key_version), (*kind, 5));
        assert!(seen.insert(fingerprint.digest), "{kind} equals another kind");
        let other = cipher.fingerprint(*kind, &Secret::new(String::from("925076474")));
        assert!(seen.insert(other.digest), "another value of {kind} is equal");
    }
}

#[test]
fn fingerprints_depend_on_the_key() {
    let other = cipher_of(&KEYRING.replace("QEFCQ0RF", "QEFCQ0RG"));
    let value = Secret::new(String::from("925076473"));
    for kind in FingerprintKind::ALL {
        assert_ne!(cipher().fingerprint(*kind, &value).digest, other.fingerprint(*kind, &value).digest);
    }
}

#[test]
fn debug_shows_versions_and_no_key() {
    let cipher = cipher();
    assert_eq!(
        format!("{cipher:?}"),
        "RingCipher { master_versions: [1, 3], current_master: 3, fingerprint_versions: [5], \
         current_fingerprint: 5, .. }"
    );
    let keyring = Keyring::from_json(&Secret::new(KEYRING.to_owned())).unwrap();
    assert_eq!(
        format!("{keyring:?}"),
        "Keyring { master_versions: [1, 3], current_master: 3, fingerprint_versions: [5], current_fingerprint: 5 }"
    );
}

#[test]
fn threads_may_share_a_cipher() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&cipher());
}

#[test]
fn lengths_keep_lists_of_parts_apart() {
    assert_ne!(joined(&[b"ab", b"c"]), joined(&[b"a", b"bc"]));
    assert_ne!(joined(&[b"", b"a"]), joined(&[b"a", b""]));
    assert_ne!(joined(&[b"a"]), joined(&[b"a", b""]));
}

/// Made once by this code and opened by a second implementation (Python's `cryptography`): what is in a
/// store stays readable, and a change of the format needs a new version.
#[test]
fn what_version_1_sealed_opens() {
    let bytes = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
    let key = WrappedKey { master_version: 3, bytes: bytes(VECTOR_KEY) };
    let opened = cipher().open(&key, &place(ADA), &Sealed::from_bytes(bytes(VECTOR_SEALED))).unwrap();
    assert_eq!(opened.expose(), PLAINTEXT);
    let fingerprint =
        cipher().fingerprint(FingerprintKind::Email, &Secret::new("ada@example.com".to_owned()));
    assert_eq!(HEXLOWER.encode(&fingerprint.digest), VECTOR_FINGERPRINT);
}

const VECTOR_KEY: &str = "015701eb6b42e2ce7624e1d4c0ddd5dc1a482e755aae8f7dbe932ec25555723ef0144892642527708719e932\
    3b3dbe776fcf1b2f86a4b0c567488e30335705b1cb16e4b338a110d8028ff89601d4ed4ecc4926969358bdd5\
    2d1094bb98";
const VECTOR_SEALED: &str = "0149d11e6afb810c9a74407fd1e41a19509059815eb6bbc90d373150de97ccec7f795da45d4030d905368933\
    2267b9ffd53ee08ebb9c77fa8731367e5b5c51d8a34400356fdfb714c8b58c930056d7de6632f19a7e7168ca\
    9f75067d4e081b";
const VECTOR_FINGERPRINT: &str = "9d9f71072552e70f448e7b0e930da42eb187339fc8448dde3684afb72530bfbb";

proptest! {
    #[test]
    fn any_bytes_in_any_place_come_back(
        plaintext in vec(any::<u8>(), 0..4096),
        subject in any::<[u8; 16]>(),
        row in vec(any::<u8>(), 0..64),
    ) {
        let cipher = cipher();
        let context = Context { row: &row, ..place(SubjectId::from_bytes(subject)) };
        let key = cipher.new_data_key(context.subject).unwrap();
        let sealed = cipher.seal(&key, &context, &plaintext).unwrap();
        let opened = cipher.open(&key, &context, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plaintext);
        if plaintext.len() >= 8 {
            prop_assert!(!sealed.as_bytes().windows(plaintext.len()).any(|window| window == plaintext));
        }
    }

    #[test]
    fn garbage_is_refused_and_nothing_panics(
        garbage in vec(any::<u8>(), 0..256),
        master_version in any::<u32>(),
    ) {
        let (cipher, key, sealed) = sealed();
        let versioned = [&[FORMAT], &garbage[..]].concat();
        for bytes in [garbage, versioned] {
            let opened = cipher.open(&key, &place(ADA), &Sealed::from_bytes(bytes.clone()));
            prop_assert_eq!(opened.unwrap_err(), CipherError::Unreadable);
            for master_version in [master_version, 1, 3] {
                let key = WrappedKey { master_version, bytes: bytes.clone() };
                prop_assert!(cipher.open(&key, &place(ADA), &sealed).is_err());
                prop_assert!(cipher.seal(&key, &place(ADA), PLAINTEXT).is_err());
            }
        }
    }

    #[test]
    fn fingerprints_are_equal_exactly_where_the_values_are(first in ".{0,40}", second in ".{0,40}") {
        let cipher = cipher();
        let equal = first == second;
        let kind = FingerprintKind::ALL[0];
        let digests = [first, second].map(|value| cipher.fingerprint(kind, &Secret::new(value)).digest);
        prop_assert_eq!(digests[0] == digests[1], equal);
    }
}
