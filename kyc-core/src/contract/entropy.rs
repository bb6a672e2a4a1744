//! The contract of [`Entropy`].

use std::collections::BTreeSet;

use crate::ports::Entropy;

/// Runs every case.
pub fn all(entropy: &dyn Entropy) {
    every_byte_is_filled(entropy);
    no_two_calls_give_the_same(entropy);
}

/// Every byte is filled, whatever the length: each takes many values, the last one too.
pub fn every_byte_is_filled(entropy: &dyn Entropy) {
    assert_eq!(entropy.fill(&mut []), Ok(()));
    for length in [1, 7, 8, 9, 10, 16, 32, 33] {
        let mut seen = vec![BTreeSet::new(); length];
        for _ in 0..64 {
            let mut bytes = vec![0; length];
            assert_eq!(entropy.fill(&mut bytes), Ok(()));
            for (values, byte) in seen.iter_mut().zip(bytes) {
                values.insert(byte);
            }
        }
        // Of 64 fair draws fewer than 16 differ once in more than 2^200 tries.
        assert!(seen.iter().all(|values| values.len() >= 16), "a byte of {length} is not random");
    }
}

/// No two calls give the same bytes.
pub fn no_two_calls_give_the_same(entropy: &dyn Entropy) {
    let drawn: BTreeSet<[u8; 10]> = (0..1000)
        .map(|_| {
            let mut bytes = [0; 10];
            assert_eq!(entropy.fill(&mut bytes), Ok(()));
            bytes
        })
        .collect();
    assert_eq!(drawn.len(), 1000, "two ids would be the same");
}
