//! Records of what was done under idempotency keys: looked for before all else, written after it.

use jiff::Timestamp;
use kyc_core::domain::ids::SubjectId;
use kyc_core::ports::cipher::Sealed;
use kyc_core::ports::store::{Conflict, IdempotencyRecord, RecordedAnswer};
use rusqlite::{Connection, params};

use super::super::fault::Fault;
use super::super::rows::{nanoseconds, nanoseconds_or_bound};
use super::super::sql;
use super::execute;

/// That none of the record's keys is taken.
///
/// # Errors
/// The conflict where one is.
pub(super) fn check_free(connection: &Connection, record: &IdempotencyRecord) -> Result<(), Fault> {
    let now = nanoseconds(record.recorded_at)?;
    let mut statement = connection.prepare_cached(sql::TAKEN)?;
    for key in &record.keys {
        if statement.exists(params![&key[..], now])? {
            return Err(Fault::Conflict(Conflict::IdempotencyKeyTaken));
        }
    }
    Ok(())
}

/// Writes an entry for each key of the record, in place of what has expired.
pub(super) fn insert(connection: &Connection, record: &IdempotencyRecord) -> Result<(), Fault> {
    let (subject, answer, api_key) = match &record.answer {
        RecordedAnswer::Sealed { subject, answer } => {
            (Some(SubjectId::to_bytes(*subject)), Some(answer), None)
        }
        RecordedAnswer::ApiKey(id) => (None, None, Some(id.to_bytes())),
    };
    for key in &record.keys {
        let written = execute(
            connection,
            sql::RECORD,
            params![
                &key[..],
                &record.body[..],
                subject,
                answer.map(Sealed::as_bytes),
                api_key,
                nanoseconds(record.expires_at)?,
                nanoseconds(record.recorded_at)?,
            ],
        )?;
        if written == 0 {
            return Err(Fault::Conflict(Conflict::IdempotencyKeyTaken));
        }
    }
    Ok(())
}

/// Removes entries that have expired, earliest first.
pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: u32) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(sql::EXPIRED_RECORDS)?;
    let expired =
        statement.query_map(params![nanoseconds_or_bound(now), limit], |row| row.get::<_, i64>(0))?;
    let expired = expired.collect::<Result<Vec<_>, _>>()?;
    for row in expired {
        execute(connection, sql::DELETE_RECORD, params![row])?;
    }
    Ok(())
}
