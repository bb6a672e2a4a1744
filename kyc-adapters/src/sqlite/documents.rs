//! Files: staging their chunks, making a file of them, and taking them away, inside the writer's transaction.

use jiff::Timestamp;
use kyc_core::domain::ids::{DocumentId, SubjectId};
use kyc_core::ports::store::{Conflict, DocumentRow, Upload};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::apply::execute;
use super::fault::Fault;
use super::rows::{nanoseconds, nanoseconds_or_bound};
use super::sql;

/// Keeps chunks of a file that is on its way.
pub(super) fn stage(connection: &Connection, upload: &Upload) -> Result<(), Fault> {
    let (subject, document) = (upload.subject.to_bytes(), upload.document.to_bytes());
    if !connection.prepare_cached(sql::REVISION)?.exists(params![&subject[..]])? {
        return Err(Fault::Conflict(Conflict::Revision));
    }
    if connection.prepare_cached(sql::IS_DOCUMENT)?.exists(params![&document[..]])? {
        return Err(Fault::Forbidden);
    }
    if !is_upload_of(connection, &document, &subject)?.unwrap_or(true) {
        return Err(Fault::Forbidden);
    }
    execute(connection, sql::BEGIN_UPLOAD, params![&document[..], &subject[..], nanoseconds(upload.at)?])?;
    for (position, chunk) in (upload.first..).zip(&upload.chunks) {
        execute(connection, sql::PUT_CHUNK, params![&document[..], position, chunk.as_bytes()])?;
    }
    Ok(())
}

/// Makes a file of chunks that were staged, all of them and no more.
pub(super) fn attach(connection: &Connection, row: &DocumentRow) -> Result<(), Fault> {
    let DocumentRow { subject, file, digest } = row;
    let (subject, id) = (subject.to_bytes(), file.id.to_bytes());
    if is_upload_of(connection, &id, &subject)? != Some(true) {
        return Err(Fault::Forbidden);
    }
    let counted: (i64, i64) = connection
        .prepare_cached(sql::CHUNK_COUNT)?
        .query_row([&id[..]], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let chunks = i64::from(file.chunks());
    if counted != (chunks, chunks - 1) {
        return Err(Fault::Forbidden);
    }
    let size = i64::try_from(file.size).map_err(|_| Fault::Forbidden)?;
    execute(
        connection,
        sql::INSERT_DOCUMENT,
        params![
            &id[..],
            &subject[..],
            file.side.as_str(),
            file.media_type.as_str(),
            size,
            digest.as_bytes(),
            nanoseconds(file.created_at)?,
        ],
    )?;
    execute(connection, sql::END_UPLOAD, params![&id[..]]).map(drop)
}

/// Takes away a file of a customer, where it is there.
pub(super) fn remove(connection: &Connection, subject: SubjectId, document: DocumentId) -> Result<(), Fault> {
    let (subject, id) = (subject.to_bytes(), document.to_bytes());
    if execute(connection, sql::DELETE_DOCUMENT, params![&id[..], &subject[..]])? > 0 {
        execute(connection, sql::DELETE_CHUNKS, params![&id[..]])?;
    }
    Ok(())
}

/// Takes away what no changeset has named, oldest first.
pub(super) fn forget(connection: &Connection, begun_by: Timestamp, limit: u32) -> Result<(), Fault> {
    for id in ids(connection, sql::OLD_UPLOADS, params![nanoseconds_or_bound(begun_by), limit])? {
        execute(connection, sql::DELETE_CHUNKS, params![&id[..]])?;
        execute(connection, sql::END_UPLOAD, params![&id[..]])?;
    }
    Ok(())
}

/// Takes away all files of a customer, also those that are on their way.
pub(super) fn erase(connection: &Connection, subject: &[&dyn ToSql]) -> Result<(), Fault> {
    for look_up in [sql::DOCUMENT_IDS, sql::UPLOAD_IDS] {
        for id in ids(connection, look_up, subject)? {
            execute(connection, sql::DELETE_CHUNKS, params![&id[..]])?;
        }
    }
    execute(connection, sql::DELETE_DOCUMENTS, subject)?;
    execute(connection, sql::DELETE_UPLOADS, subject).map(drop)
}

/// Whether a file that is on its way is this customer's; none where there is none.
fn is_upload_of(
    connection: &Connection,
    document: &[u8; 16],
    subject: &[u8; 16],
) -> Result<Option<bool>, Fault> {
    let mut statement = connection.prepare_cached(sql::UPLOADER)?;
    let uploader: Option<[u8; 16]> = statement.query_row([&document[..]], |row| row.get(0)).optional()?;
    Ok(uploader.map(|uploader| uploader == *subject))
}

fn ids(connection: &Connection, sql: &str, parameters: &[&dyn ToSql]) -> Result<Vec<[u8; 16]>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map(parameters, |row| row.get(0))?;
    ids.map(|id| id.map_err(Fault::from)).collect()
}
