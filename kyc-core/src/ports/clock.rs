//! The time.

use jiff::Timestamp;

/// Where the core learns the time. The fake one moves only when a test says so.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now, UTC. An adapter MUST NOT block. It may go back; the core orders nothing by it
    /// that must not be reordered.
    fn now(&self) -> Timestamp;
}
