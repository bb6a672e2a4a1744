//! What can go wrong below the port, and what a caller is told of it.

use kyc_core::ports::store::{CommitError, Conflict, StoreError};
use rusqlite::ErrorCode;

/// Why a piece of work did not succeed. No variant holds data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something else is there than what was read.
    Conflict(Conflict),
    /// The changeset asks for what the schema forbids: a fault of the core.
    Forbidden,
    /// A row can't be read.
    Unreadable,
    /// `SQLite` can't: its result code, extended.
    Engine(ErrorCode, i32),
}

impl Fault {
    /// Whether the disk, or what the database may take of it, is full.
    pub(super) const fn is_full(self) -> bool {
        matches!(self, Self::Engine(ErrorCode::DiskFull, _))
    }

    /// What the caller of a read or a claim is told.
    pub(super) const fn for_caller(self) -> StoreError {
        match self {
            Self::Engine(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _)
            | Self::Unreadable
            | Self::Forbidden => StoreError::Corrupt,
            Self::Engine(..) | Self::Conflict(_) => StoreError::Unavailable,
        }
    }

    /// What the caller of a commit is told.
    pub(super) const fn for_committer(self) -> CommitError {
        match self {
            Self::Conflict(conflict) => CommitError::Conflict(conflict),
            Self::Forbidden | Self::Unreadable | Self::Engine(..) => CommitError::Store(self.for_caller()),
        }
    }

    /// Logs the class of what is not the caller's doing; never the data.
    pub(super) fn log(self, doing: &'static str) {
        match self {
            Self::Conflict(_) => {}
            Self::Forbidden => tracing::error!(doing, "the schema forbids what a changeset asks for"),
            Self::Unreadable => tracing::error!(doing, "the store holds a row that can't be read"),
            Self::Engine(_, code) => tracing::error!(doing, code, "SQLite failed"),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(failure) if failure.code == ErrorCode::ConstraintViolation => Self::Forbidden,
            Some(failure) => Self::Engine(failure.code, failure.extended_code),
            // What rusqlite itself says is of a column's type or range.
            None => Self::Unreadable,
        }
    }
}
