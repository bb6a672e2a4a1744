//! The contract of [`Cipher`].

use std::collections::BTreeSet;

use crate::Secret;
use crate::contract::store::rows::subject;
use crate::domain::customer::FingerprintKind;
use crate::domain::key_use::KeyUse;
use crate::ports::Cipher;
use crate::ports::cipher::{CipherError, Context, DigestPurpose, Sealed, WrappedKey};

const PLAINTEXT: &[u8] = b"Ada Lovelace, born on 1990-12-10, passport 925076473";

/// Runs every case.
pub fn all(cipher: &dyn Cipher) {
    what_was_sealed_opens(cipher);
    two_seals_differ(cipher);
    no_plaintext_shows(cipher);
    a_flipped_bit_anywhere_is_refused(cipher);
    a_value_opens_in_its_own_place_alone(cipher);
    a_key_opens_nothing_of_another_key(cipher);
    a_key_is_bound_to_its_subject(cipher);
    an_unknown_master_key_is_named(cipher);
    no_bytes_make_it_panic(cipher);
    fingerprints_are_equal_for_equal_values_of_one_kind_alone(cipher);
    a_fingerprint_shows_nothing_of_its_value(cipher);
    digests_are_equal_for_equal_parts_of_one_purpose_alone(cipher);
    a_key_that_is_wrapped_again_stays_the_same_key(cipher);
    a_wrap_that_does_not_open_is_not_made_again(cipher);
    the_current_fingerprint_comes_first(cipher);
}

fn context(row: &[u8]) -> Context<'_> {
    Context { subject: subject(1), table: "customer_version", field: "data", row }
}

fn key(cipher: &dyn Cipher) -> WrappedKey {
    cipher.new_data_key(subject(1)).expect("a key can be made")
}

fn seal(cipher: &dyn Cipher, key: &WrappedKey, context: &Context<'_>, plaintext: &[u8]) -> Sealed {
    cipher.seal(key, context, plaintext).expect("a seal works")
}

#[track_caller]
fn unreadable(cipher: &dyn Cipher, key: &WrappedKey, context: &Context<'_>, sealed: &Sealed) {
    let opened = cipher.open(key, context, sealed);
    assert_eq!(opened, Err(CipherError::Unreadable));
}

/// Every way to flip one bit of some bytes.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..8 * bytes.len()).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

/// What was sealed opens with the same key in the same context, whatever its length.
pub fn what_was_sealed_opens(cipher: &dyn Cipher) {
    let key = key(cipher);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let long = every_byte.repeat(1024);
    for plaintext in [&[][..], &[0], b"Ada", PLAINTEXT, &every_byte, &long] {
        let sealed = seal(cipher, &key, &context(b"1"), plaintext);
        let kept = Sealed::from_bytes(sealed.as_bytes().to_vec());
        let opened = cipher.open(&key, &context(b"1"), &kept).expect("it opens");
        assert!(opened.expose() == plaintext, "{} bytes come back as they were", plaintext.len());
    }
}

/// Two seals of one plaintext differ, so that nobody sees that two values are equal; two keys differ, too.
pub fn two_seals_differ(cipher: &dyn Cipher) {
    let key = key(cipher);
    let seals: BTreeSet<_> =
        (0..100).map(|_| seal(cipher, &key, &context(b"1"), PLAINTEXT).as_bytes().to_vec()).collect();
    assert_eq!(seals.len(), 100);
    assert_ne!(key, self::key(cipher), "two keys of one subject");
}

/// No part of the plaintext stands in the sealed bytes.
pub fn no_plaintext_shows(cipher: &dyn Cipher) {
    let sealed = seal(cipher, &key(cipher), &context(b"1"), PLAINTEXT);
    for part in PLAINTEXT.windows(6) {
        assert!(!sealed.as_bytes().windows(6).any(|window| window == part), "the plaintext shows");
    }
}

/// Any bit of the sealed value or of the wrapped key that differs makes it unreadable, and so does any byte
/// that is missing or too many.
pub fn a_flipped_bit_anywhere_is_refused(cipher: &dyn Cipher) {
    let key = key(cipher);
    for plaintext in [&[][..], b"A", PLAINTEXT] {
        let sealed = seal(cipher, &key, &context(b"1"), plaintext);
        let bytes = sealed.as_bytes();
        for flipped in flips(bytes) {
            unreadable(cipher, &key, &context(b"1"), &Sealed::from_bytes(flipped));
        }
        for length in 0..bytes.len() {
            unreadable(cipher, &key, &context(b"1"), &Sealed::from_bytes(bytes[..length].to_vec()));
        }
        unreadable(cipher, &key, &context(b"1"), &Sealed::from_bytes([bytes, &[0]].concat()));
        unreadable(cipher, &key, &context(b"1"), &Sealed::from_bytes([&[0], bytes].concat()));
    }
    let sealed = seal(cipher, &key, &context(b"1"), PLAINTEXT);
    let shortened = (0..key.bytes.len()).map(|length| key.bytes[..length].to_vec());
    for bytes in flips(&key.bytes).chain(shortened).chain([[&key.bytes[..], &[0]].concat()]) {
        let altered = WrappedKey { bytes, ..key.clone() };
        unreadable(cipher, &altered, &context(b"1"), &sealed);
        assert_eq!(cipher.seal(&altered, &context(b"1"), PLAINTEXT), Err(CipherError::Unreadable));
    }
}

/// A value that was moved to another subject, table, field or row is unreadable there.
pub fn a_value_opens_in_its_own_place_alone(cipher: &dyn Cipher) {
    let key = key(cipher);
    let own = context(b"12");
    let sealed = seal(cipher, &key, &own, PLAINTEXT);
    let elsewhere = [
        Context { subject: subject(2), ..own },
        Context { table: "verification", ..own },
        Context { field: "link", ..own },
        Context { row: b"13", ..own },
        Context { row: b"", ..own },
        Context { row: b"12\0", ..own },
        // The same text, cut elsewhere.
        Context { table: "customer_versiond", field: "ata", ..own },
        Context { field: "data1", row: b"2", ..own },
    ];
    for context in elsewhere {
        unreadable(cipher, &key, &context, &sealed);
    }
    assert!(cipher.open(&key, &own, &sealed).is_ok());
}

/// What one data key sealed opens with no other, of the same subject neither.
pub fn a_key_opens_nothing_of_another_key(cipher: &dyn Cipher) {
    let (one, other) = (key(cipher), key(cipher));
    let sealed = seal(cipher, &one, &context(b"1"), PLAINTEXT);
    unreadable(cipher, &other, &context(b"1"), &sealed);
    assert!(cipher.open(&one, &context(b"1"), &sealed).is_ok());
}

/// A wrapped key that was copied to another subject is unreadable there: it neither opens nor seals.
pub fn a_key_is_bound_to_its_subject(cipher: &dyn Cipher) {
    let copied = key(cipher);
    let thief = Context { subject: subject(2), ..context(b"1") };
    assert_eq!(cipher.seal(&copied, &thief, PLAINTEXT), Err(CipherError::Unreadable));
    let own = cipher.new_data_key(subject(2)).expect("a key can be made");
    let sealed = seal(cipher, &own, &thief, PLAINTEXT);
    unreadable(cipher, &copied, &thief, &sealed);
    unreadable(cipher, &own, &context(b"1"), &sealed);
}

/// A key under a master key that is not there is told apart from one that was altered.
pub fn an_unknown_master_key_is_named(cipher: &dyn Cipher) {
    let key = key(cipher);
    let sealed = seal(cipher, &key, &context(b"1"), PLAINTEXT);
    let orphan = WrappedKey { master_version: u32::MAX, ..key };
    let unknown = CipherError::UnknownKeyVersion(u32::MAX);
    assert_eq!(cipher.open(&orphan, &context(b"1"), &sealed), Err(unknown));
    assert_eq!(cipher.seal(&orphan, &context(b"1"), PLAINTEXT), Err(unknown));
}

/// It does not panic on any bytes, be they the sealed value or the key.
pub fn no_bytes_make_it_panic(cipher: &dyn Cipher) {
    let key = key(cipher);
    let sealed = seal(cipher, &key, &context(b"1"), PLAINTEXT);
    for length in (0..200).chain([4096, 70_000]) {
        for byte in [0x00, 0x01, 0x7f, 0xff] {
            let garbage = vec![byte; length];
            unreadable(cipher, &key, &context(b"1"), &Sealed::from_bytes(garbage.clone()));
            let bad_key = WrappedKey { bytes: garbage, ..key.clone() };
            unreadable(cipher, &bad_key, &context(b"1"), &sealed);
        }
    }
}

/// Equal values of one kind have equal fingerprints; other values, and equal ones of another kind, have not.
pub fn fingerprints_are_equal_for_equal_values_of_one_kind_alone(cipher: &dyn Cipher) {
    let of = |kind, value: &str| cipher.fingerprint(kind, &Secret::new(value.to_owned()));
    let mut digests = BTreeSet::new();
    let values = ["", "a", "b", "ab", "ada@example.com", "email", "name_and_birth"];
    for kind in FingerprintKind::ALL {
        for value in values {
            let fingerprint = of(*kind, value);
            assert_eq!(fingerprint, of(*kind, value), "it is the same each time");
            assert_eq!(fingerprint.kind, *kind);
            digests.insert(fingerprint.digest);
        }
    }
    assert_eq!(digests.len(), values.len() * FingerprintKind::ALL.len(), "no two digests are equal");
}

/// Without the key nothing can be learned from a fingerprint: it is at least no plain hash or text.
pub fn a_fingerprint_shows_nothing_of_its_value(cipher: &dyn Cipher) {
    use sha2::{Digest, Sha256};
    let value = "ada@example.com";
    for kind in FingerprintKind::ALL {
        let fingerprint = cipher.fingerprint(*kind, &Secret::new(value.to_owned()));
        for plain in [
            value.to_owned(),
            format!("{kind}{value}"),
            format!("{kind}:{value}"),
            format!("{kind}\0{value}"),
        ] {
            assert_ne!(fingerprint.digest[..], Sha256::digest(&plain)[..], "a plain hash can be guessed");
        }
        assert!(
            !fingerprint.digest.windows(4).any(|part| value.as_bytes().windows(4).any(|text| text == part))
        );
        assert!(!format!("{fingerprint:?}").contains(value));
    }
}

/// Equal lists of parts have equal digests for one purpose; other lists, and equal ones for another purpose, have
/// not, and a digest is neither a fingerprint nor a plain hash.
pub fn digests_are_equal_for_equal_parts_of_one_purpose_alone(cipher: &dyn Cipher) {
    use sha2::{Digest, Sha256};
    let lists: [&[&[u8]]; 7] =
        [&[], &[b""], &[b"", b""], &[b"ab"], &[b"a", b"b"], &[b"b", b"a"], &[b"ab", b""]];
    let mut seen = BTreeSet::new();
    let purposes = [
        DigestPurpose::IdempotencyKey,
        DigestPurpose::IdempotencyBody,
        DigestPurpose::ProviderReference,
        DigestPurpose::CallbackEvent,
    ];
    for purpose in purposes {
        for parts in lists {
            let digests = cipher.digests(purpose, parts);
            assert_eq!(digests, cipher.digests(purpose, parts), "they are the same each time");
            seen.extend(digests.all());
            assert!(digests.all().all(|digest| digest[..] != Sha256::digest(parts.concat())[..]));
        }
    }
    let versions = cipher.digests(DigestPurpose::IdempotencyKey, &[]).all().count();
    assert_eq!(seen.len(), purposes.len() * lists.len() * versions, "no two digests are equal");
    for kind in FingerprintKind::ALL {
        let fingerprint = cipher.fingerprint(*kind, &Secret::new("ab".to_owned()));
        let alike = cipher.digests(DigestPurpose::IdempotencyKey, &[kind.as_str().as_bytes(), b"ab"]);
        assert!(
            !seen.contains(&fingerprint.digest) && alike.all().all(|digest| digest != fingerprint.digest)
        );
    }
}

/// A data key that is wrapped again opens and seals what it did before, under the current master key.
pub fn a_key_that_is_wrapped_again_stays_the_same_key(cipher: &dyn Cipher) {
    let key = key(cipher);
    let sealed = seal(cipher, &key, &context(b"1"), PLAINTEXT);
    let again = cipher.rewrap(&key, subject(1)).expect("it can be wrapped again");
    assert_eq!(again.master_version, cipher.current_versions().master);
    assert_ne!(again.bytes, key.bytes, "two wraps of one key differ");
    let opened = cipher.open(&again, &context(b"1"), &sealed).expect("the new wrap opens it");
    assert!(opened.expose() == PLAINTEXT);
    let later = seal(cipher, &again, &context(b"2"), PLAINTEXT);
    assert!(cipher.open(&key, &context(b"2"), &later).is_ok(), "and the old one what came later");
    // The new wrap is bound as the old one was.
    let thief = Context { subject: subject(2), ..context(b"1") };
    assert_eq!(cipher.seal(&again, &thief, PLAINTEXT), Err(CipherError::Unreadable));
    assert_eq!(cipher.rewrap(&again, subject(2)), Err(CipherError::Unreadable));
}

/// Only a wrap that opens for the subject is made again, so that no rotation makes a stolen or an altered key
/// a good one.
pub fn a_wrap_that_does_not_open_is_not_made_again(cipher: &dyn Cipher) {
    let key = key(cipher);
    assert_eq!(cipher.rewrap(&key, subject(2)), Err(CipherError::Unreadable));
    for bytes in flips(&key.bytes) {
        let altered = WrappedKey { bytes, ..key.clone() };
        assert_eq!(cipher.rewrap(&altered, subject(1)), Err(CipherError::Unreadable));
    }
    let orphan = WrappedKey { master_version: u32::MAX, ..key };
    assert_eq!(cipher.rewrap(&orphan, subject(1)), Err(CipherError::UnknownKeyVersion(u32::MAX)));
}

/// Of the fingerprints to look a value up by, the first is the one that would be stored, and no two are under
/// one version.
pub fn the_current_fingerprint_comes_first(cipher: &dyn Cipher) {
    let value = Secret::new("ada@example.com".to_owned());
    for kind in FingerprintKind::ALL {
        let all = cipher.fingerprints(*kind, &value);
        assert_eq!(all.first(), Some(&cipher.fingerprint(*kind, &value)));
        assert_eq!(all.first().map(|first| first.key_version), Some(cipher.current_versions().fingerprint));
        let versions: Vec<_> = all.iter().map(|one| one.key_version).collect();
        assert_eq!(versions.iter().collect::<BTreeSet<_>>().len(), versions.len());
        assert!(versions.iter().skip(1).rev().is_sorted(), "newest first: {versions:?}");
        assert!(all.iter().all(|one| one.kind == *kind));
    }
}

/// What holds while keys are rotated and retired: `rotate` adds a version of a key and makes it the current
/// one, `retire` takes one away. The cipher holds one version of each when this begins.
pub fn rotations(cipher: &dyn Cipher, rotate: &dyn Fn(KeyUse), retire: &dyn Fn(KeyUse, u32)) {
    let value = Secret::new("ada@example.com".to_owned());
    let before = cipher.current_versions();
    let old = key(cipher);
    let sealed = seal(cipher, &old, &context(b"1"), PLAINTEXT);
    let fingerprints = cipher.fingerprints(FingerprintKind::Email, &value);
    assert_eq!(fingerprints.len(), 1);

    rotate(KeyUse::Master);
    let between = cipher.current_versions();
    assert!(between.master > before.master, "a new version has a higher number");
    assert_eq!(between.fingerprint, before.fingerprint, "each key is rotated by itself");
    assert_eq!(key(cipher).master_version, between.master, "new keys are under the new version");
    assert!(cipher.open(&old, &context(b"1"), &sealed).is_ok(), "old ones open all the same");
    let again = cipher.rewrap(&old, subject(1)).expect("it can be wrapped again");
    assert_eq!(again.master_version, between.master);

    rotate(KeyUse::Fingerprint);
    let after = cipher.current_versions();
    assert!(after.fingerprint > before.fingerprint);
    let both = cipher.fingerprints(FingerprintKind::Email, &value);
    assert_eq!(both.len(), 2);
    assert_eq!((both[0].key_version, both[1]), (after.fingerprint, fingerprints[0]));
    assert_ne!(both[0].digest, both[1].digest, "another key gives another digest");
    assert_eq!(cipher.fingerprint(FingerprintKind::Email, &value), both[0]);

    retire(KeyUse::Master, before.master);
    let unknown = Err(CipherError::UnknownKeyVersion(before.master));
    assert_eq!(cipher.open(&old, &context(b"1"), &sealed), unknown, "the old wrap opens nothing");
    assert_eq!(cipher.rewrap(&old, subject(1)), Err(CipherError::UnknownKeyVersion(before.master)));
    let opened = cipher.open(&again, &context(b"1"), &sealed).expect("the new one opens all");
    assert!(opened.expose() == PLAINTEXT);
    retire(KeyUse::Fingerprint, before.fingerprint);
    assert_eq!(cipher.fingerprints(FingerprintKind::Email, &value), [both[0]]);
    assert_eq!(cipher.current_versions(), after);
    all(cipher);
}
