//! The reads: each is one statement or one transaction, so that none mixes two commits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use kyc_core::domain::api_key::ApiKey;
use kyc_core::domain::audit::ChainedEvent;
use kyc_core::domain::erasure::Erasure;
use kyc_core::domain::ids::{CustomerId, DocumentId, SubjectId, VerificationId};
use kyc_core::domain::key_use::KeyUse;
use kyc_core::domain::report::{DayCount, Range};
use kyc_core::domain::status::StatusKind;
use kyc_core::domain::verification::Verification;
use kyc_core::ports::cipher::{Fingerprint, Sealed};
use kyc_core::ports::store::{
    CustomerFilter, CustomerRecord, DocumentRow, EndedRelationship, Forgetting, KeyCount, PageRequest, Queue,
    Recorded, Sharing, Standing, VerificationRecord, VersionRow,
};
use rusqlite::{Connection, Params, params};

use super::apply::Head;
use super::fault::Fault;
use super::rows::{Columns, FromColumns, nanoseconds_or_bound};
use super::sql;

/// Above every subject, which has sixteen bytes.
const ABOVE_EVERY_SUBJECT: [u8; 17] = [0xff; 17];

fn one<T: FromColumns>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Option<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    rows.next()?.map(|row| Columns::of(row).read()).transpose()
}

fn many<T: FromColumns>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Columns::of(row).read()?);
    }
    Ok(found)
}

pub(super) fn customer(connection: &Connection, id: &CustomerId) -> Result<Option<CustomerRecord>, Fault> {
    one(connection, sql::CUSTOMER, [id.as_str()])
}

pub(super) fn standing(connection: &Connection, id: &CustomerId) -> Result<Option<Standing>, Fault> {
    one(connection, sql::STANDING, [id.as_str()])
}

pub(super) fn customers(
    connection: &Connection,
    filter: CustomerFilter,
    page: PageRequest,
) -> Result<Vec<CustomerRecord>, Fault> {
    let after = page.after.map(SubjectId::to_bytes);
    let after = after.as_ref().map_or(&ABOVE_EVERY_SUBJECT[..], |subject| &subject[..]);
    let by_word = |sql, word: &str| many(connection, sql, params![after, page.limit, word]);
    match (filter.status, filter.stage) {
        (None, None) => many(connection, sql::CUSTOMERS, params![after, page.limit]),
        (Some(status), None) => by_word(sql::CUSTOMERS_BY_STATUS, status.as_str()),
        (None | Some(StatusKind::Pending), Some(stage)) => by_word(sql::CUSTOMERS_BY_STAGE, stage.as_str()),
        // Only a pending customer has a stage.
        (Some(StatusKind::Verified | StatusKind::Rejected), Some(_)) => Ok(Vec::new()),
    }
}

/// A search each, in one transaction: first who it is, in the index alone, and then those who are told.
pub(super) fn customers_by_fingerprints(
    connection: &Connection,
    fingerprints: &[Fingerprint],
    limit: u32,
) -> Result<Vec<CustomerRecord>, Fault> {
    let reading = connection.unchecked_transaction()?;
    let mut subjects = BTreeSet::new();
    for Fingerprint { kind, key_version, digest } in fingerprints {
        let key = params![&digest[..], kind.as_str(), key_version, limit];
        subjects.extend(many::<SubjectId>(&reading, sql::SUBJECTS_BY_FINGERPRINT, key)?);
    }
    let newest = subjects.into_iter().rev().take(usize::try_from(limit).unwrap_or(usize::MAX));
    // A fingerprint of nobody is an edit by hand.
    let record = |subject: SubjectId| {
        one(&reading, sql::CUSTOMER_BY_SUBJECT, [&subject.to_bytes()[..]])?.ok_or(Fault::Unreadable)
    };
    newest.map(record).collect()
}

/// A search each, in one transaction.
pub(super) fn sharing(
    connection: &Connection,
    fingerprints: &[Fingerprint],
    except: SubjectId,
    limit: u32,
) -> Result<Vec<Sharing>, Fault> {
    let reading = connection.unchecked_transaction()?;
    let except = except.to_bytes();
    let mut found = Vec::new();
    for Fingerprint { kind, key_version, digest } in fingerprints {
        let key = params![&digest[..], kind.as_str(), key_version, &except[..], limit];
        found.extend(many::<Sharing>(&reading, sql::SHARING, key)?);
    }
    Ok(found)
}

pub(super) fn expired_customers(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<CustomerId>, Fault> {
    let now = nanoseconds_or_bound(now);
    many(connection, sql::EXPIRED_CUSTOMERS, params![now, limit])
}

pub(super) fn verification(
    connection: &Connection,
    id: VerificationId,
) -> Result<Option<VerificationRecord>, Fault> {
    one(connection, sql::VERIFICATION, [&id.to_bytes()[..]])
}

pub(super) fn verification_by_reference(
    connection: &Connection,
    reference: [u8; 32],
) -> Result<Option<VerificationRecord>, Fault> {
    one(connection, sql::VERIFICATION_BY_REFERENCE, [&reference[..]])
}

pub(super) fn verifications(connection: &Connection, subject: SubjectId) -> Result<Vec<Verification>, Fault> {
    many(connection, sql::VERIFICATIONS, [&subject.to_bytes()[..]])
}

pub(super) fn answer(connection: &Connection, id: VerificationId) -> Result<Option<Sealed>, Fault> {
    one(connection, sql::ANSWER, [&id.to_bytes()[..]])
}

pub(super) fn next_due(connection: &Connection, queue: Queue) -> Result<Option<Timestamp>, Fault> {
    match queue {
        Queue::Verifications => one(connection, sql::NEXT_DUE, []),
    }
}

pub(super) fn counts(connection: &Connection, range: Range) -> Result<Vec<DayCount>, Fault> {
    let days = params![range.start().to_string(), range.end().to_string()];
    many(connection, sql::COUNTS, days)
}

pub(super) fn audit_events(
    connection: &Connection,
    sequence: u64,
    limit: u32,
) -> Result<Vec<ChainedEvent>, Fault> {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    many(connection, sql::AUDIT_EVENTS, params![sequence, limit])
}

pub(super) fn audit_events_before(
    connection: &Connection,
    subject: Option<SubjectId>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<ChainedEvent>, Fault> {
    let last = before.and_then(|before| i64::try_from(before.saturating_sub(1)).ok()).unwrap_or(i64::MAX);
    match subject.map(SubjectId::to_bytes) {
        None => many(connection, sql::AUDIT_EVENTS_BEFORE, params![last, limit]),
        Some(subject) => many(connection, sql::AUDIT_EVENTS_OF, params![last, limit, &subject[..]]),
    }
}

/// A search each, in one transaction: a list as a parameter would be a table that is scanned.
pub(super) fn customer_ids(
    connection: &Connection,
    subjects: &[SubjectId],
) -> Result<Vec<(SubjectId, CustomerId)>, Fault> {
    // It is undone when it goes out of scope, and there is nothing to undo.
    let reading = connection.unchecked_transaction()?;
    let found = subjects.iter().map(|subject| one(&reading, sql::CUSTOMER_ID, [&subject.to_bytes()[..]]));
    found.filter_map(Result::transpose).collect()
}

pub(super) fn api_key_by_digest(connection: &Connection, digest: &[u8; 32]) -> Result<Option<ApiKey>, Fault> {
    one(connection, sql::API_KEY_BY_DIGEST, [&digest[..]])
}

pub(super) fn api_keys(connection: &Connection) -> Result<Vec<ApiKey>, Fault> {
    many(connection, sql::API_KEYS, [])
}

pub(super) fn recorded(connection: &Connection, key: &[u8; 32]) -> Result<Option<Recorded>, Fault> {
    one(connection, sql::RECORDED, [&key[..]])
}

pub(super) fn next_expiry(connection: &Connection) -> Result<Option<Timestamp>, Fault> {
    one(connection, sql::NEXT_EXPIRY, [])
}

/// A search each, in one transaction.
pub(super) fn erasure(
    connection: &Connection,
    fingerprints: &[Fingerprint],
) -> Result<Option<Erasure>, Fault> {
    let reading = connection.unchecked_transaction()?;
    for fingerprint in fingerprints {
        let key = params![&fingerprint.digest[..], fingerprint.key_version];
        if let Some(found) = one(&reading, sql::ERASURE, key)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

pub(super) fn erasures(
    connection: &Connection,
    after: Option<SubjectId>,
    limit: u32,
) -> Result<Vec<Erasure>, Fault> {
    let after = after.map(SubjectId::to_bytes);
    // Nothing at all is below every subject.
    let after = after.as_ref().map_or(&[][..], |subject| &subject[..]);
    many(connection, sql::ERASURES, params![after, limit])
}

pub(super) fn versions(connection: &Connection, subject: SubjectId) -> Result<Vec<VersionRow>, Fault> {
    many(connection, sql::VERSIONS, [&subject.to_bytes()[..]])
}

pub(super) fn retention_due(
    connection: &Connection,
    before: Date,
    after: Option<(Date, SubjectId)>,
    limit: u32,
) -> Result<Vec<EndedRelationship>, Fault> {
    // An empty text is below every day.
    let (day, subject) =
        after.map_or((String::new(), None), |(day, subject)| (day.to_string(), Some(subject.to_bytes())));
    let subject = subject.as_ref().map_or(&[][..], |subject| &subject[..]);
    many(connection, sql::RETENTION_DUE, params![before.to_string(), day, subject, limit])
}

pub(super) fn due_forgettings(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Forgetting>, Fault> {
    many(connection, sql::DUE_FORGETTINGS, params![nanoseconds_or_bound(now), limit])
}

pub(super) fn forgettings(
    connection: &Connection,
    after: Option<VerificationId>,
    limit: u32,
) -> Result<Vec<Forgetting>, Fault> {
    let after = after.map_or_else(Vec::new, |id| id.to_bytes().to_vec());
    many(connection, sql::FORGETTINGS, params![after, limit])
}

pub(super) fn documents(connection: &Connection, subject: SubjectId) -> Result<Vec<DocumentRow>, Fault> {
    many(connection, sql::DOCUMENTS, [&subject.to_bytes()[..]])
}

pub(super) fn chunk(
    connection: &Connection,
    document: DocumentId,
    index: u32,
) -> Result<Option<Sealed>, Fault> {
    one(connection, sql::CHUNK, params![&document.to_bytes()[..], index])
}

pub(super) fn oldest_upload(connection: &Connection) -> Result<Option<Timestamp>, Fault> {
    one(connection, sql::OLDEST_UPLOAD, [])
}

/// A scan, off the path of any request.
pub(super) fn key_counts(connection: &Connection, of: KeyUse) -> Result<Vec<KeyCount>, Fault> {
    match of {
        KeyUse::Master => many(connection, sql::MASTER_KEY_COUNTS, []),
        KeyUse::Fingerprint => many(connection, sql::FINGERPRINT_KEY_COUNTS, []),
    }
}

/// A scan, off the path of any request.
pub(super) fn missing(connection: &Connection) -> Result<Option<SubjectId>, Fault> {
    one(connection, sql::MISSING, [])
}

/// A scan, off the path of any request.
pub(super) fn erased_key_counts(connection: &Connection) -> Result<Vec<KeyCount>, Fault> {
    many(connection, sql::ERASED_KEY_COUNTS, [])
}

/// A search each, in one transaction, as in [`customer_ids`].
pub(super) fn fingerprinted_otherwise(
    connection: &Connection,
    subjects: &[SubjectId],
    current: u32,
) -> Result<Vec<SubjectId>, Fault> {
    let reading = connection.unchecked_transaction()?;
    let found = subjects.iter().map(|subject| {
        one(&reading, sql::FINGERPRINTED_OTHERWISE, params![&subject.to_bytes()[..], current])
    });
    found.filter_map(Result::transpose).collect()
}

/// The end of the audit chain.
pub(super) fn head(connection: &Connection) -> Result<Head, Fault> {
    one(connection, sql::AUDIT_HEAD, []).map(Option::unwrap_or_default)
}

/// Reads a page of the file, to see that reading works.
pub(super) fn schema(connection: &Connection) -> Result<(), Fault> {
    one::<i64>(connection, "PRAGMA schema_version", []).map(drop)
}
