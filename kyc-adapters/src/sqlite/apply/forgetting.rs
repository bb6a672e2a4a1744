//! What providers are still to forget.

use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::cipher::Sealed;
use kyc_core::ports::store::Forgetting;
use rusqlite::{Connection, params};

use super::super::fault::Fault;
use super::super::rows::nanoseconds;
use super::super::sql;
use super::execute;

pub(super) fn put(connection: &Connection, one: &Forgetting) -> Result<(), Fault> {
    execute(
        connection,
        sql::PUT_FORGETTING,
        params![
            &one.verification.to_bytes()[..],
            &one.subject.to_bytes()[..],
            one.provider.as_str(),
            one.key.master_version,
            &one.key.bytes[..],
            one.progress.as_ref().map(Sealed::as_bytes),
            nanoseconds(one.erased_at)?,
            one.failures,
            nanoseconds(one.due_at)?,
        ],
    )
    .map(drop)
}

pub(super) fn remove(connection: &Connection, id: VerificationId) -> Result<(), Fault> {
    execute(connection, sql::DELETE_FORGETTING, params![&id.to_bytes()[..]]).map(drop)
}
