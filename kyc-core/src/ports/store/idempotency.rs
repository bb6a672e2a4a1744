//! What a store keeps of a request that was made under an idempotency key: digests, and an answer that only
//! the cipher can read.

use jiff::Timestamp;

use crate::domain::ids::{ApiKeyId, SubjectId};
use crate::ports::cipher::{Sealed, WrappedKey};

/// A request that was carried out, with its answer. It is part of the changeset of its effect, so that neither
/// can be there without the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Keyed digests of who asked for what under which key: one of each version of the fingerprint key that is
    /// known. The record is found by each, so that two requests that meet while keys are rotated find each
    /// other.
    pub keys: Vec<[u8; 32]>,
    /// A keyed digest of the same, and of the body.
    pub body: [u8; 32],
    /// What was answered.
    pub answer: RecordedAnswer,
    /// When, by the core's clock.
    pub recorded_at: Timestamp,
    /// From when on the keys are free again.
    pub expires_at: Timestamp,
}

/// An answer as it is kept. By its type it can hold no plaintext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedAnswer {
    /// Sealed under the data key of a customer, so that it ends with that key.
    Sealed {
        /// Whose data key.
        subject: SubjectId,
        /// Status, headers and body.
        answer: Sealed,
    },
    /// That this API key was made: the answer is made anew from the key, without its secret, which is kept
    /// nowhere.
    ApiKey(ApiKeyId),
}

/// A record as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// [`IdempotencyRecord::body`].
    pub body: [u8; 32],
    /// What was answered.
    pub answer: RecordedAnswer,
    /// From when on it counts no more.
    pub expires_at: Timestamp,
    /// The data key that a sealed answer is under, as it is now; none where its customer is no more, or where
    /// the answer is not sealed.
    pub key: Option<WrappedKey>,
}
