//! The format bit by bit, and the ciphertext of two keys that the commitment is there for.

use super::*;

const SALT: &[u8] = b"a salt";
const PLACE: &[u8] = b"a place";

fn key(byte: u8) -> CommittedKey {
    CommittedKey::derive(&hkdf::Salt::new(hkdf::HKDF_SHA256, SALT), &[byte; KEY_LENGTH]).unwrap()
}

#[test]
fn the_parts_lie_where_the_format_says() {
    let sealed = key(1).seal([9; NONCE_LENGTH], PLACE, b"Ada").unwrap();
    assert_eq!(sealed.len(), 1 + 32 + 12 + 3 + 16);
    assert_eq!(sealed[0], FORMAT);
    assert_eq!(sealed[33..45], [9; 12]);
    assert_eq!(sealed[1..33], key(1).seal([8; NONCE_LENGTH], PLACE, b"").unwrap()[1..33]);
    assert_ne!(sealed[1..33], key(2).seal([9; NONCE_LENGTH], PLACE, b"Ada").unwrap()[1..33]);
}

#[test]
fn an_empty_plaintext_is_sealed_too() {
    let sealed = key(1).seal([9; NONCE_LENGTH], PLACE, b"").unwrap();
    assert!(key(1).open(PLACE, &sealed).unwrap().is_empty());
    assert_eq!(key(1).open(b"", &sealed).unwrap_err(), CipherError::Unreadable);
}

#[test]
fn neither_the_key_itself_nor_the_commitment_key_encrypts() {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
    let sealed = key(1).seal([9; NONCE_LENGTH], PLACE, b"Ada").unwrap();
    let mut commitment_key = [0; KEY_LENGTH];
    let extracted = salt.extract(&[1; KEY_LENGTH]);
    extracted.expand(&[COMMITMENT_INFO], hkdf::HKDF_SHA256).unwrap().fill(&mut commitment_key).unwrap();
    for bytes in [[1; KEY_LENGTH], commitment_key] {
        let plain = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).unwrap());
        assert!(gcm_open(&plain, PLACE, &sealed[33..]).is_none());
    }
    assert_eq!(gcm_open(&key(1).encryption, PLACE, &sealed[33..]).unwrap(), b"Ada");
}

/// The attack of Dodis and others, for one block: a ciphertext whose tag is right under two keys.
///
/// With the associated data fixed, the tag of the block `C` under key `i` is `t_i(0) + C·H_i²`, in GF(2^128).
/// So `C = (t_1(0) + t_2(0)) / (H_1² + H_2²)` has one tag under both.
#[test]
fn a_ciphertext_that_gcm_opens_under_two_keys_opens_under_one_only() {
    let (first, second) = (key(1), key(2));
    let nonce = [9; NONCE_LENGTH];
    let zero_tags = gcm_tag(&first, nonce, 0) ^ gcm_tag(&second, nonce, 0);
    let squares = hash_key_squared(&first, nonce) ^ hash_key_squared(&second, nonce);
    let block = product(zero_tags, inverse(squares));
    let tag = gcm_tag(&first, nonce, block);
    assert_eq!(tag, gcm_tag(&second, nonce, block));

    let body = [&nonce[..], &block.to_be_bytes(), &tag.to_be_bytes()].concat();
    let one = gcm_open(&first.encryption, PLACE, &body).expect("GCM opens it under the first key");
    let other = gcm_open(&second.encryption, PLACE, &body).expect("GCM opens it under the second key");
    assert_ne!(one, other);

    let commitment = hmac::sign(&first.commitment, COMMITMENT_LABEL);
    let sealed = [&[FORMAT], commitment.as_ref(), &body].concat();
    assert_eq!(*first.open(PLACE, &sealed).unwrap(), one);
    assert_eq!(second.open(PLACE, &sealed).unwrap_err(), CipherError::Unreadable);
}

fn gcm_open(key: &LessSafeKey, associated_data: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = body.split_first_chunk().unwrap();
    let mut bytes = rest.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.open_in_place(nonce, Aad::from(associated_data), &mut bytes).ok().map(|plaintext| plaintext.to_vec())
}

/// The tag that GCM gives the one block `ciphertext` in the place.
fn gcm_tag(key: &CommittedKey, nonce: [u8; NONCE_LENGTH], ciphertext: u128) -> u128 {
    let seal = |mut block: [u8; 16]| {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.encryption.seal_in_place_separate_tag(nonce, Aad::from(PLACE), &mut block).unwrap();
        (u128::from_be_bytes(block), u128::from_be_bytes(tag.as_ref().try_into().unwrap()))
    };
    let (key_stream, _) = seal([0; 16]);
    let (sealed, tag) = seal((key_stream ^ ciphertext).to_be_bytes());
    assert_eq!(sealed, ciphertext);
    tag
}

/// H², from the tags of the blocks one and zero.
fn hash_key_squared(key: &CommittedKey, nonce: [u8; NONCE_LENGTH]) -> u128 {
    gcm_tag(key, nonce, ONE) ^ gcm_tag(key, nonce, 0)
}

/// The one of GCM's field, whose first bit is the coefficient of x^0 (NIST SP 800-38D, section 6.3).
const ONE: u128 = 1 << 127;

fn product(left: u128, right: u128) -> u128 {
    let (mut sum, mut shifted) = (0, right);
    for bit in (0..128).rev() {
        if left >> bit & 1 == 1 {
            sum ^= shifted;
        }
        let carry = shifted & 1;
        shifted = shifted >> 1 ^ (carry * (0xe1 << 120));
    }
    sum
}

/// a^(2^128 - 2), which is 1/a in a field of 2^128 elements.
fn inverse(element: u128) -> u128 {
    let (mut result, mut power) = (ONE, element);
    for _ in 1..128 {
        power = product(power, power);
        result = product(result, power);
    }
    result
}
