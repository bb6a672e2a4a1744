//! Applying one changeset inside the writer's transaction: guards, writes in order, audit events.

mod forgetting;
mod record;

use kyc_core::domain::api_key::ApiKey;
use kyc_core::domain::audit::{AuditEvent, AuditHash};
use kyc_core::domain::ids::{ApiKeyId, ChangesetId, ProviderName, SubjectId, VerificationId};
use kyc_core::domain::report::DayCount;
use kyc_core::domain::status::{Stage, StatusWord};
use kyc_core::domain::verification::{Finding, Verification};
use kyc_core::ports::cipher::{Fingerprint, Sealed};
use kyc_core::ports::store::{Changeset, Conflict, CustomerRow, Guard, Write};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::documents;
use super::erase;
use super::fault::Fault;
use super::rows::{addresses_text, counter_key, discrepancies_text, nanoseconds};
use super::sql;

/// The end of the audit chain. The writer holds it in memory, since nobody else writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The sequence of the last event; 0 before the first.
    pub(super) sequence: i64,
    /// Its hash.
    pub(super) hash: AuditHash,
}

impl Default for Head {
    fn default() -> Self {
        Self { sequence: 0, hash: AuditHash::ORIGIN }
    }
}

/// Applies a changeset. On a fault the caller undoes what was written of it and restores the head.
pub(super) fn changeset(
    connection: &Connection,
    head: &mut Head,
    changeset: &Changeset,
) -> Result<(), Fault> {
    if let Some(record) = &changeset.idempotency {
        record::check_free(connection, record)?;
    }
    for guard in &changeset.guards {
        check(connection, guard)?;
    }
    for write in &changeset.writes {
        apply(connection, write)?;
    }
    if let Some(record) = &changeset.idempotency {
        record::insert(connection, record)?;
    }
    for event in &changeset.audit {
        append(connection, head, changeset.id, event)?;
    }
    Ok(())
}

fn check(connection: &Connection, guard: &Guard) -> Result<(), Fault> {
    let (statement, id, expected, conflict) = match guard {
        Guard::NotErased(fingerprints) => return not_erased(connection, fingerprints),
        Guard::Unclaimed(id) => return unclaimed(connection, *id),
        Guard::Revision { subject, revision } => {
            (sql::REVISION, subject.to_bytes(), *revision, Conflict::Revision)
        }
        Guard::Lease(lease) => {
            (sql::LEASE_TOKEN, lease.verification.to_bytes(), lease.token, Conflict::LeaseLost)
        }
    };
    let found: Option<i64> =
        connection.prepare_cached(statement)?.query_row([&id[..]], |row| row.get(0)).optional()?;
    match found.map(u64::try_from) {
        Some(Ok(found)) if found == expected => Ok(()),
        Some(_) | None => Err(Fault::Conflict(conflict)),
    }
}

fn unclaimed(connection: &Connection, id: VerificationId) -> Result<(), Fault> {
    let is_unclaimed = connection.prepare_cached(sql::IS_UNCLAIMED)?.exists([&id.to_bytes()[..]])?;
    if is_unclaimed { Ok(()) } else { Err(Fault::Conflict(Conflict::LeaseLost)) }
}

fn not_erased(connection: &Connection, fingerprints: &[Fingerprint]) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(sql::IS_ERASED)?;
    for fingerprint in fingerprints {
        if statement.exists(params![&fingerprint.digest[..], fingerprint.key_version])? {
            return Err(Fault::Conflict(Conflict::Erased));
        }
    }
    Ok(())
}

fn apply(connection: &Connection, write: &Write) -> Result<(), Fault> {
    match write {
        Write::InsertCustomer(row) => insert_customer(connection, row),
        Write::UpdateCustomer(row) => update_customer(connection, row),
        Write::InsertVersion { subject, version, data, at } => execute(
            connection,
            sql::INSERT_VERSION,
            params![&subject.to_bytes()[..], version, data.as_bytes(), nanoseconds(*at)?],
        )
        .map(drop),
        Write::ReplaceFingerprints { subject, fingerprints } => {
            replace_fingerprints(connection, *subject, fingerprints)
        }
        Write::PutVerification(verification) => put_verification(connection, verification),
        Write::PutAnswer { verification, answer, at } => {
            put_answer(connection, *verification, answer, nanoseconds(*at)?)
        }
        Write::AttachDocument(row) => documents::attach(connection, row),
        Write::RemoveDocument { subject, document } => documents::remove(connection, *subject, *document),
        Write::ForgetUploads { begun_by, limit } => documents::forget(connection, *begun_by, *limit),
        Write::Count(count) => add_count(connection, *count),
        Write::EraseCustomer(erasure) => erase::customer(connection, erasure),
        Write::RememberErasure(erasure) => erase::remember(connection, erasure),
        Write::PutForgetting(one) => forgetting::put(connection, one),
        Write::RemoveForgetting(id) => forgetting::remove(connection, *id),
        Write::InsertApiKey(key) => insert_api_key(connection, key),
        Write::RevokeApiKey { id, at } => {
            change_api_key(connection, sql::REVOKE_API_KEY, *id, nanoseconds(*at)?)
        }
        Write::TouchApiKey { id, at } => {
            change_api_key(connection, sql::TOUCH_API_KEY, *id, nanoseconds(*at)?)
        }
        Write::ForgetExpired { now, limit } => record::forget_expired(connection, *now, *limit),
    }
}

pub(super) fn execute(connection: &Connection, sql: &str, parameters: &[&dyn ToSql]) -> Result<usize, Fault> {
    Ok(connection.prepare_cached(sql)?.execute(parameters)?)
}

/// The columns of a customer that change, as parameters 4 to 17; the first three say who it is.
fn with_customer(
    row: &CustomerRow,
    run: impl FnOnce(&[&dyn ToSql]) -> Result<usize, Fault>,
) -> Result<usize, Fault> {
    run(params![
        &row.subject.to_bytes()[..],
        row.customer_id.as_str(),
        nanoseconds(row.registered_at)?,
        row.status.kind().as_str(),
        row.status.stage().map(Stage::as_str),
        row.status.valid_until().map(nanoseconds).transpose()?,
        row.status.is_final(),
        row.version,
        i64::try_from(row.revision).map_err(|_| Fault::Forbidden)?,
        row.key.wrapped.master_version,
        row.key.wrapped.bytes,
        row.key.messages,
        &row.latest.to_bytes()[..],
        nanoseconds(row.updated_at)?,
        row.decided_at.map(nanoseconds).transpose()?,
        row.relationship_ended_on.map(|day| day.to_string()),
        row.legal_hold.as_ref().map(Sealed::as_bytes),
    ])
}

fn insert_customer(connection: &Connection, row: &CustomerRow) -> Result<(), Fault> {
    match with_customer(row, |parameters| execute(connection, sql::INSERT_CUSTOMER, parameters))? {
        0 => Err(Fault::Conflict(Conflict::CustomerIdTaken)),
        _ => Ok(()),
    }
}

/// Who the customer is does not change, so that no index but those of the status is touched. A customer
/// who isn't there has changed since it was read.
fn update_customer(connection: &Connection, row: &CustomerRow) -> Result<(), Fault> {
    match with_customer(row, |parameters| execute(connection, sql::UPDATE_CUSTOMER, parameters))? {
        0 => Err(Fault::Conflict(Conflict::Revision)),
        _ => Ok(()),
    }
}

fn replace_fingerprints(
    connection: &Connection,
    subject: SubjectId,
    fingerprints: &[Fingerprint],
) -> Result<(), Fault> {
    let subject = subject.to_bytes();
    // A new customer has none, and a DELETE costs several times as much as a look.
    if connection.prepare_cached(sql::HAS_FINGERPRINTS)?.exists(params![&subject[..]])? {
        execute(connection, sql::DELETE_FINGERPRINTS, params![&subject[..]])?;
    }
    for fingerprint in fingerprints {
        execute(
            connection,
            sql::INSERT_FINGERPRINT,
            params![
                &subject[..],
                fingerprint.kind.as_str(),
                fingerprint.key_version,
                &fingerprint.digest[..]
            ],
        )?;
    }
    Ok(())
}

/// A lease ends with the write and the token stays, so that the next claim's is higher. A verification
/// never moves to another customer.
fn put_verification(connection: &Connection, verification: &Verification) -> Result<(), Fault> {
    let changed = execute(
        connection,
        sql::PUT_VERIFICATION,
        params![
            &verification.id.to_bytes()[..],
            &verification.subject.to_bytes()[..],
            verification.version,
            verification.provider.as_str(),
            verification.cause.as_str(),
            verification.state.kind().as_str(),
            verification.state.finding().map(Finding::as_str),
            verification.failures,
            nanoseconds(verification.scheduled_for)?,
            verification.due_at.map(nanoseconds).transpose()?,
            verification.progress.as_ref().map(Sealed::as_bytes),
            verification.link.as_ref().map(Sealed::as_bytes),
            discrepancies_text(&verification.discrepancies),
            nanoseconds(verification.created_at)?,
            verification.submitted_at.map(nanoseconds).transpose()?,
            verification.completed_at.map(nanoseconds).transpose()?,
            verification.attempted,
            verification.reference.as_ref().map(|reference| &reference[..]),
        ],
    )?;
    if changed == 0 { Err(Fault::Forbidden) } else { Ok(()) }
}

fn put_answer(
    connection: &Connection,
    verification: VerificationId,
    answer: &Sealed,
    at: i64,
) -> Result<(), Fault> {
    execute(connection, sql::PUT_ANSWER, params![&verification.to_bytes()[..], answer.as_bytes(), at])
        .map(drop)
}

fn add_count(connection: &Connection, count: DayCount) -> Result<(), Fault> {
    let (kind, word, bucket) = counter_key(count.counter);
    execute(connection, sql::ADD_COUNT, params![count.day.to_string(), kind, word, bucket, count.count])
        .map(drop)
}

/// An id or a digest that is taken breaks a constraint, and so is [`Fault::Forbidden`].
fn insert_api_key(connection: &Connection, key: &ApiKey) -> Result<(), Fault> {
    execute(
        connection,
        sql::INSERT_API_KEY,
        params![
            &key.id.to_bytes()[..],
            key.name.as_str(),
            key.subject.as_str(),
            key.role.as_str(),
            &key.digest[..],
            addresses_text(&key.allowed_addresses),
            nanoseconds(key.created_at)?,
            key.expires_at.map(nanoseconds).transpose()?,
            key.revoked_at.map(nanoseconds).transpose()?,
            key.last_used_at.map(nanoseconds).transpose()?,
        ],
    )
    .map(drop)
}

/// Keys are never removed, so one that isn't there was never read either.
fn change_api_key(connection: &Connection, sql: &str, id: ApiKeyId, at: i64) -> Result<(), Fault> {
    let changed = execute(connection, sql, params![&id.to_bytes()[..], at])?;
    if changed == 0 { Err(Fault::Forbidden) } else { Ok(()) }
}

fn append(
    connection: &Connection,
    head: &mut Head,
    changeset: ChangesetId,
    event: &AuditEvent,
) -> Result<(), Fault> {
    let sequence = head.sequence.checked_add(1).ok_or(Fault::Forbidden)?;
    let place = u64::try_from(sequence).map_err(|_| Fault::Unreadable)?;
    let hash = head.hash.next(place, changeset, event);
    execute(
        connection,
        sql::APPEND_EVENT,
        params![
            sequence,
            &changeset.to_bytes()[..],
            nanoseconds(event.at)?,
            event.actor,
            event.action.as_str(),
            event.subject.map(SubjectId::to_bytes),
            event.verification.map(VerificationId::to_bytes),
            event.provider.as_ref().map(ProviderName::as_str),
            event.target,
            event.reason,
            event.from.map(StatusWord::as_str),
            event.to.map(StatusWord::as_str),
            event.fields_text(),
            event.request_id,
            &hash.to_bytes()[..],
        ],
    )?;
    *head = Head { sequence, hash };
    Ok(())
}
