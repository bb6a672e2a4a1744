//! Taking due verifications under a lease, inside the writer's transaction.

use kyc_core::ports::store::{Claim, Claimed, Lease, Queue, VerificationRecord};
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::rows::{Columns, nanoseconds_or_bound};
use super::sql;

/// What a claim took.
pub(super) struct Taken {
    pub(super) claimed: Vec<Claimed>,
    /// Whether anything was leased.
    pub(super) wrote: bool,
}

/// Leases what is due. What can't be read is leased too and left out, so that one damaged row does not
/// stand at the head of the queue for ever.
pub(super) fn take(connection: &Connection, claim: Claim) -> Result<Taken, Fault> {
    match claim.queue {
        Queue::Verifications => verifications(connection, claim),
    }
}

fn verifications(connection: &Connection, claim: Claim) -> Result<Taken, Fault> {
    let mut due: Vec<([u8; 16], Result<VerificationRecord, Fault>)> = Vec::new();
    let mut statement = connection.prepare_cached(sql::DUE)?;
    let mut rows = statement.query(params![nanoseconds_or_bound(claim.now), claim.limit])?;
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        due.push((id, Columns::of(row).read()));
    }
    let wrote = !due.is_empty();
    let mut claimed = Vec::with_capacity(due.len());
    for (id, record) in due {
        let token = lease(connection, id, nanoseconds_or_bound(claim.until))?;
        match record {
            Ok(record) => {
                let lease = Lease { verification: record.verification.id, token };
                claimed.push(Claimed { record, lease });
            }
            Err(fault) => fault.log("claim"),
        }
    }
    Ok(Taken { claimed, wrote })
}

fn lease(connection: &Connection, id: [u8; 16], until: i64) -> Result<u64, Fault> {
    let token: i64 =
        connection.prepare_cached(sql::LEASE)?.query_row(params![&id[..], until], |row| row.get(0))?;
    u64::try_from(token).map_err(|_| Fault::Unreadable)
}
