//! Taking work that is due, each piece under a lease.

use jiff::Timestamp;

use super::VerificationRecord;
use crate::domain::ids::VerificationId;

/// A queue to claim from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Verifications to take a step further.
    Verifications,
}

/// A wish for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// From which queue.
    pub queue: Queue,
    /// The most to take.
    pub limit: u32,
    /// What is due at this time is taken.
    pub now: Timestamp,
    /// Until when the lease runs.
    pub until: Timestamp,
}

/// The right to write about a verification, until somebody else is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which verification.
    pub verification: VerificationId,
    /// The fencing token: the highest one wins (M. Kleppmann, "How to do distributed locking", 2016).
    pub token: u64,
}

/// Work that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The verification, its customer, and the data of its version.
    pub record: VerificationRecord,
    /// The lease to write under.
    pub lease: Lease,
}
