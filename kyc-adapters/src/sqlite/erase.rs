//! Taking a person out of the database, inside the writer's transaction.
//!
//! `secure_delete` overwrites what is deleted, in the pages that a commit writes. What older pages of the
//! log, and copies that moved within a page, still have of it is the affair of [`super::writer`].

use kyc_core::domain::erasure::Erasure;
use kyc_core::ports::store::Conflict;
use rusqlite::{Connection, params};

use super::apply::execute;
use super::documents;
use super::fault::Fault;
use super::rows::nanoseconds;
use super::sql;

/// Deletes everything of the subject, from the rows that name others to those that are named, and notes the
/// erasure. A customer who isn't there has changed since it was read.
pub(super) fn customer(connection: &Connection, erasure: &Erasure) -> Result<(), Fault> {
    let subject = erasure.subject.to_bytes();
    let subject = params![&subject[..]];
    for verification in verifications(connection, subject)? {
        execute(connection, sql::DELETE_ANSWER, params![&verification[..]])?;
    }
    documents::erase(connection, subject)?;
    // Whatever else comes to hold rows of a person is emptied here, before the customer goes.
    for delete in [sql::DELETE_VERIFICATIONS, sql::DELETE_FINGERPRINTS, sql::DELETE_VERSIONS] {
        execute(connection, delete, subject)?;
    }
    match execute(connection, sql::DELETE_CUSTOMER, subject)? {
        0 => Err(Fault::Conflict(Conflict::Revision)),
        _ => remember(connection, erasure),
    }
}

/// Notes an erasure, unless it is noted already.
pub(super) fn remember(connection: &Connection, erasure: &Erasure) -> Result<(), Fault> {
    execute(
        connection,
        sql::REMEMBER_ERASURE,
        params![
            &erasure.fingerprint.digest[..],
            erasure.fingerprint.key_version,
            &erasure.subject.to_bytes()[..],
            nanoseconds(erasure.at)?,
            erasure.reason.as_str(),
        ],
    )
    .map(drop)
}

fn verifications(connection: &Connection, subject: &[&dyn rusqlite::ToSql]) -> Result<Vec<[u8; 16]>, Fault> {
    let mut statement = connection.prepare_cached(sql::VERIFICATION_IDS)?;
    let ids = statement.query_map(subject, |row| row.get(0))?;
    ids.map(|id| id.map_err(Fault::from)).collect()
}
