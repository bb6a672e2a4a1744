//! What the keys of the keyring are for.

use super::words::words;

words! {
    /// What a key is for. No key is for both: whoever may compute fingerprints could unwrap data keys too.
    pub enum KeyUse, "key use" {
        /// It wraps data keys.
        Master = "master",
        /// It makes fingerprints.
        Fingerprint = "fingerprint",
    }
}
