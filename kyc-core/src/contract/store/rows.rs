//! Rows to test a store with: row `n` is one row, the same every time, and newer than row `n - 1`.
//!
//! The cases write nothing that the core could not, so that a store may mirror the states in constraints.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domain::actor::Actor;
use crate::domain::api_key::{ApiKey, KeyName};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::customer::FingerprintKind;
use crate::domain::document_file::{DocumentFile, MediaType, Side};
use crate::domain::erasure::{Erasure, ErasureReason};
use crate::domain::ids::{
    ApiKeyId, ChangesetId, CustomerId, DocumentId, ProviderName, SubjectId, VerificationId,
};
use crate::domain::permission::Role;
use crate::domain::report::{Counter, DayCount, Range};
use crate::domain::status::{Stage, Status, StatusKind};
use crate::domain::verification::{Cause, Verification};
use crate::ports::cipher::{DataKey, Fingerprint, Sealed, WrappedKey};
use crate::ports::store::{
    Changeset, CustomerRecord, CustomerRow, DocumentRow, Guard, IdempotencyRecord, RecordedAnswer, Upload,
    VerificationRecord, Write,
};

/// As many seconds after 2026-01-01T00:00:00.123456789Z.
#[must_use]
pub fn at(seconds: u32) -> Timestamp {
    Timestamp::constant(1_767_225_600, 123_456_789) + SignedDuration::from_secs(i64::from(seconds))
}

/// The id of customer `n`: they sort as their numbers do.
#[must_use]
pub fn subject(n: u32) -> SubjectId {
    SubjectId::new(at(n), [0xab; 10])
}

/// The id that the caller gave customer `n`.
#[must_use]
pub fn customer_id(n: u32) -> CustomerId {
    CustomerId::parse(&format!("customer-{n}")).expect("an id of the right form")
}

/// The id of verification `n`: they sort as their numbers do.
#[must_use]
pub fn verification_id(n: u32) -> VerificationId {
    VerificationId::new(at(n), [0xcd; 10])
}

/// The provider of every row.
#[must_use]
pub fn provider() -> ProviderName {
    ProviderName::parse("contract").expect("a name of the right form")
}

/// Sealed value `n`, with bytes that are no text.
#[must_use]
pub fn sealed(n: u32) -> Sealed {
    Sealed::from_bytes([&[0x00, 0xff, 0x80][..], &n.to_be_bytes()].concat())
}

/// Customer `n`: version 1, revision 1, pending and queued, with verification `n` as the latest.
#[must_use]
pub fn row(n: u32) -> CustomerRow {
    let wrapped = WrappedKey { master_version: 1, bytes: sealed(n).as_bytes().repeat(3) };
    CustomerRow {
        subject: subject(n),
        customer_id: customer_id(n),
        status: Status::Pending(Stage::Queued),
        version: 1,
        revision: 1,
        key: DataKey { wrapped, messages: 1 },
        latest: verification_id(n),
        registered_at: at(n),
        updated_at: at(n),
        decided_at: None,
        relationship_ended_on: None,
        legal_hold: None,
    }
}

/// Verification `n`, of version 1 of customer `n`: queued, and due at [`at`] of `n`.
#[must_use]
pub fn verification(n: u32) -> Verification {
    Verification::queued(verification_id(n), subject(n), 1, provider(), Cause::Registration, at(n), at(n))
}

/// Fingerprint `n` of a kind.
#[must_use]
pub fn fingerprint(kind: FingerprintKind, n: u32) -> Fingerprint {
    let mut digest = [0xef; 32];
    digest[28..].copy_from_slice(&n.to_be_bytes());
    Fingerprint { kind, key_version: 1, digest }
}

/// The erasure of customer `n`, a thousand seconds after the registration.
#[must_use]
pub fn erasure(n: u32) -> Erasure {
    Erasure {
        fingerprint: fingerprint(FingerprintKind::CustomerId, n),
        subject: subject(n),
        at: at(n + 1000),
        reason: ErasureReason::SubjectRequest,
    }
}

/// The id of API key `n`: they sort as their numbers do.
#[must_use]
pub fn api_key_id(n: u32) -> ApiKeyId {
    ApiKeyId::new(at(n), [0x34; 10])
}

/// The digest of the secret of API key `n`.
#[must_use]
pub fn digest(n: u32) -> [u8; 32] {
    let mut digest = [0x9f; 32];
    digest[..4].copy_from_slice(&n.to_be_bytes());
    digest
}

/// API key `n`, of a client, valid from everywhere and for ever, and never used.
#[must_use]
pub fn api_key(n: u32) -> ApiKey {
    let name = |text: String| KeyName::parse(&text).expect("a name of the right form");
    ApiKey {
        id: api_key_id(n),
        name: name(format!("key-{n}")),
        subject: name(format!("application-{n}@example.com")),
        role: Role::Client,
        digest: digest(n),
        allowed_addresses: Vec::new(),
        created_at: at(n),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

/// A digest of idempotency key `n`.
#[must_use]
pub fn idempotency_key(n: u32) -> [u8; 32] {
    let mut key = [0x5d; 32];
    key[..4].copy_from_slice(&n.to_be_bytes());
    key
}

/// The record under idempotency key `n` of an answer about customer `n`: it expires a day after [`at`] of `n`.
#[must_use]
pub fn idempotency(n: u32) -> IdempotencyRecord {
    IdempotencyRecord {
        keys: vec![idempotency_key(n)],
        body: digest(n),
        answer: RecordedAnswer::Sealed { subject: subject(n), answer: sealed(n) },
        recorded_at: at(n),
        expires_at: at(n) + SignedDuration::from_hours(24),
    }
}

/// The id of file `n`: they sort as their numbers do.
#[must_use]
pub fn document_id(n: u32) -> DocumentId {
    DocumentId::new(at(n), [0x56; 10])
}

/// File `n` of customer `of`, which has this many chunks, the last one of a byte.
#[must_use]
pub fn document(n: u32, of: u32, chunks: u32) -> DocumentRow {
    let file = DocumentFile {
        id: document_id(n),
        side: Side::Front,
        media_type: MediaType::Jpeg,
        size: u64::from(chunks - 1) * DocumentFile::CHUNK_BYTES as u64 + 1,
        created_at: at(n),
    };
    DocumentRow { subject: subject(of), file, digest: sealed(n) }
}

/// Chunk `index` of file `n`.
#[must_use]
pub fn chunk(n: u32, index: u32) -> Sealed {
    sealed(1000 * n + index)
}

/// So many chunks of file `n` of customer `of`, from `first` on.
#[must_use]
pub fn upload(n: u32, of: u32, first: u32, chunks: u32) -> Upload {
    Upload {
        subject: subject(of),
        document: document_id(n),
        at: at(n),
        first,
        chunks: (first..first + chunks).map(|index| chunk(n, index)).collect(),
    }
}

/// A registration's audit event on customer `n`.
#[must_use]
pub fn event(n: u32) -> AuditEvent {
    let actor = Actor::system("contract");
    AuditEvent::new(&actor, Action::CustomerRegistered, at(n))
        .on(subject(n))
        .moving(None, Status::Pending(Stage::Queued))
}

/// A change of a counter on the first day of [`days`].
#[must_use]
pub fn count(kind: StatusKind, count: i64) -> DayCount {
    DayCount { day: first_day(), counter: Counter::Status(kind), count }
}

/// The day of [`at`] of 0.
#[must_use]
pub const fn first_day() -> Date {
    Date::constant(2026, 1, 1)
}

/// The ten days from [`first_day`] on.
#[must_use]
pub fn days() -> Range {
    Range::new(first_day(), Date::constant(2026, 1, 10)).expect("a range that is not reversed")
}

/// A changeset of these writes, without guards, and with event `n`.
#[must_use]
pub fn changeset(n: u32, writes: Vec<Write>) -> Changeset {
    Changeset {
        id: ChangesetId::new(at(n), [0x12; 10]),
        guards: Vec::new(),
        writes,
        audit: vec![event(n)],
        idempotency: None,
    }
}

/// The registration of a customer, with verification and data `n`.
#[must_use]
pub fn registration_of(row: CustomerRow, n: u32) -> Changeset {
    let subject = row.subject;
    let fingerprints = FingerprintKind::ALL.iter().map(|kind| fingerprint(*kind, n)).collect();
    let writes = vec![
        Write::Count(count(StatusKind::Pending, 1)),
        Write::InsertCustomer(row),
        Write::InsertVersion { subject, version: 1, data: sealed(n), at: at(n) },
        Write::ReplaceFingerprints { subject, fingerprints },
        Write::PutVerification(Verification { subject, ..verification(n) }),
    ];
    changeset(n, writes)
}

/// The registration of customer `n`.
#[must_use]
pub fn registration(n: u32) -> Changeset {
    registration_of(row(n), n)
}

/// Customer `n` as read after [`registration`].
#[must_use]
pub fn record(n: u32) -> CustomerRecord {
    CustomerRecord { row: row(n), data: sealed(n), latest: verification(n) }
}

/// Verification `n` as read after [`registration`].
#[must_use]
pub fn verification_record(n: u32) -> VerificationRecord {
    VerificationRecord { verification: verification(n), row: row(n), data: sealed(n) }
}

/// The changeset that makes `row` the next revision of the customer, and says so to the row.
#[must_use]
pub fn update(n: u32, row: &mut CustomerRow) -> Changeset {
    let guard = Guard::Revision { subject: row.subject, revision: row.revision };
    row.revision += 1;
    Changeset { guards: vec![guard], ..changeset(n, vec![Write::UpdateCustomer(row.clone())]) }
}
