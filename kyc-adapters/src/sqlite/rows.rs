//! Columns and the core's types, both ways. A word, a length or a number that the core does not know is an
//! unreadable row and never a default.

mod documents;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use kyc_core::domain::api_key::{AddressRange, ApiKey, KeyName};
use kyc_core::domain::audit::{AuditEvent, AuditHash, ChainedEvent};
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::discrepancy::{Discrepancy, ProviderCode};
use kyc_core::domain::erasure::Erasure;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ApiKeyId, ChangesetId, CustomerId, ProviderName, SubjectId, VerificationId};
use kyc_core::domain::report::{Counter, DayCount};
use kyc_core::domain::status::{Status, StatusKind};
use kyc_core::domain::verification::{State, StateKind, Verification};
use kyc_core::ports::cipher::{DataKey, Fingerprint, Sealed, WrappedKey};
use kyc_core::ports::store::{
    CustomerRecord, CustomerRow, EndedRelationship, KeyCount, Recorded, RecordedAnswer, Standing,
    VerificationRecord, VersionRow,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::apply::Head;
use super::fault::Fault;

mod forgetting;
mod linked;

const NANOSECONDS: i64 = 1_000_000_000;

/// A time as it is kept: nanoseconds, exact, of the years 1677 to 2262.
///
/// # Errors
/// [`Fault::Forbidden`] for a time outside of them.
pub(super) fn nanoseconds(at: Timestamp) -> Result<i64, Fault> {
    i64::try_from(at.as_nanosecond()).map_err(|_| Fault::Forbidden)
}

/// A time to compare with: what lies outside of the years that are kept is before or after all of them.
pub(super) fn nanoseconds_or_bound(at: Timestamp) -> i64 {
    let bound = if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX };
    i64::try_from(at.as_nanosecond()).unwrap_or(bound)
}

fn timestamp(nanoseconds: i64) -> Result<Timestamp, Fault> {
    let part = i32::try_from(nanoseconds.rem_euclid(NANOSECONDS)).map_err(|_| Fault::Unreadable)?;
    Timestamp::new(nanoseconds.div_euclid(NANOSECONDS), part).map_err(|_| Fault::Unreadable)
}

fn word<T: FromStr>(text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| Fault::Unreadable)
}

/// What columns hold.
pub(super) trait FromColumns: Sized {
    /// Takes as many columns as it has.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] where one does not hold what it should.
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault>;
}

/// The columns of a row, taken from left to right.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) const fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'a>, Fault> {
        let value = self.row.get_ref(self.next)?;
        self.next += 1;
        Ok(value)
    }

    fn optional_integer(&mut self) -> Result<Option<i64>, Fault> {
        self.value()?.as_i64_or_null().map_err(|_| Fault::Unreadable)
    }

    fn integer(&mut self) -> Result<i64, Fault> {
        self.optional_integer()?.ok_or(Fault::Unreadable)
    }

    fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Fault> {
        T::try_from(self.integer()?).map_err(|_| Fault::Unreadable)
    }

    fn optional_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        self.optional_integer()?.map(timestamp).transpose()
    }

    fn optional_text(&mut self) -> Result<Option<&'a str>, Fault> {
        self.value()?.as_str_or_null().map_err(|_| Fault::Unreadable)
    }

    fn text(&mut self) -> Result<&'a str, Fault> {
        self.optional_text()?.ok_or(Fault::Unreadable)
    }

    fn word<T: FromStr>(&mut self) -> Result<T, Fault> {
        word(self.text()?)
    }

    fn optional_word<T: FromStr>(&mut self) -> Result<Option<T>, Fault> {
        self.optional_text()?.map(word).transpose()
    }

    fn optional_bytes(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        self.value()?.as_blob_or_null().map_err(|_| Fault::Unreadable)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        self.optional_bytes()?.ok_or(Fault::Unreadable)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.bytes()?.try_into().map_err(|_| Fault::Unreadable)
    }

    fn optional_array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Fault> {
        self.optional_bytes()?.map(|bytes| bytes.try_into().map_err(|_| Fault::Unreadable)).transpose()
    }

    fn optional_sealed(&mut self) -> Result<Option<Sealed>, Fault> {
        Ok(self.optional_bytes()?.map(|bytes| Sealed::from_bytes(bytes.to_vec())))
    }

    fn status(&mut self) -> Result<Status, Fault> {
        let kind = self.word()?;
        let stage = self.optional_word()?;
        let valid_until = self.optional_time()?;
        let terminal = self.integer()? != 0;
        match (kind, stage, valid_until, terminal) {
            (StatusKind::Pending, Some(stage), None, false) => Ok(Status::Pending(stage)),
            (StatusKind::Verified, None, valid_until, false) => Ok(Status::Verified { valid_until }),
            (StatusKind::Rejected, None, None, terminal) => Ok(Status::Rejected { terminal }),
            (StatusKind::Pending | StatusKind::Verified | StatusKind::Rejected, ..) => Err(Fault::Unreadable),
        }
    }

    fn state(&mut self) -> Result<State, Fault> {
        match (self.word()?, self.optional_word()?) {
            (StateKind::Queued, None) => Ok(State::Queued),
            (StateKind::Submitted, None) => Ok(State::Submitted),
            (StateKind::Completed, Some(finding)) => Ok(State::Completed(finding)),
            (StateKind::Failed, None) => Ok(State::Failed),
            (StateKind::Superseded, None) => Ok(State::Superseded),
            (
                StateKind::Queued
                | StateKind::Submitted
                | StateKind::Completed
                | StateKind::Failed
                | StateKind::Superseded,
                _,
            ) => Err(Fault::Unreadable),
        }
    }

    pub(super) fn read<T: FromColumns>(&mut self) -> Result<T, Fault> {
        T::take(self)
    }
}

impl FromColumns for CustomerRow {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            subject: SubjectId::from_bytes(columns.array()?),
            customer_id: columns.read()?,
            status: columns.status()?,
            version: columns.number()?,
            revision: columns.number()?,
            key: DataKey {
                wrapped: WrappedKey { master_version: columns.number()?, bytes: columns.bytes()?.to_vec() },
                messages: columns.number()?,
            },
            latest: VerificationId::from_bytes(columns.array()?),
            registered_at: columns.read()?,
            updated_at: columns.read()?,
            decided_at: columns.optional_time()?,
            relationship_ended_on: columns.optional_word()?,
            legal_hold: columns.optional_sealed()?,
        })
    }
}

impl FromColumns for Verification {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: VerificationId::from_bytes(columns.array()?),
            subject: SubjectId::from_bytes(columns.array()?),
            version: columns.number()?,
            provider: provider_name(columns.text()?)?,
            cause: columns.word()?,
            state: columns.state()?,
            failures: columns.number()?,
            attempted: columns.integer()? != 0,
            scheduled_for: columns.read()?,
            due_at: columns.optional_time()?,
            progress: columns.optional_sealed()?,
            reference: columns.optional_array()?,
            link: columns.optional_sealed()?,
            discrepancies: discrepancies(columns.text()?)?,
            created_at: columns.read()?,
            submitted_at: columns.optional_time()?,
            completed_at: columns.optional_time()?,
        })
    }
}

impl FromColumns for CustomerRecord {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let (row, data) = (columns.read()?, columns.read()?);
        let latest = verification_of(columns, &row)?;
        Ok(Self { row, data, latest })
    }
}

impl FromColumns for Standing {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let row = columns.read()?;
        let latest = verification_of(columns, &row)?;
        Ok(Self { row, latest })
    }
}

impl FromColumns for VerificationRecord {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self { verification: columns.read()?, row: columns.read()?, data: columns.read()? })
    }
}

impl FromColumns for CustomerId {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Self::parse(columns.text()?).map_err(|_| Fault::Unreadable)
    }
}

impl FromColumns for Sealed {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        columns.bytes().map(|bytes| Self::from_bytes(bytes.to_vec()))
    }
}

impl FromColumns for Timestamp {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        timestamp(columns.integer()?)
    }
}

impl FromColumns for i64 {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        columns.integer()
    }
}

impl FromColumns for DayCount {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let day: Date = columns.word()?;
        let kind = columns.text()?;
        let text = columns.text()?;
        let bucket = columns.number()?;
        let counter = match kind {
            "status" => Counter::Status(word(text)?),
            "discrepancy" => Counter::Discrepancy(word(text)?),
            "erased" => Counter::Erased,
            "decision" => Counter::Decision { by: word(text)?, bucket },
            _ => return Err(Fault::Unreadable),
        };
        Ok(Self { day, counter, count: columns.integer()? })
    }
}

impl FromColumns for KeyCount {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self { version: columns.number()?, customers: columns.number()? })
    }
}

impl FromColumns for SubjectId {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        columns.array().map(Self::from_bytes)
    }
}

impl FromColumns for AuditHash {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        columns.array().map(Self::from_bytes)
    }
}

impl FromColumns for Head {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self { sequence: columns.integer()?, hash: columns.read()? })
    }
}

impl FromColumns for ChainedEvent {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            sequence: columns.number()?,
            changeset: ChangesetId::from_bytes(columns.array()?),
            event: AuditEvent {
                at: columns.read()?,
                actor: columns.text()?.to_owned(),
                action: columns.word()?,
                subject: columns.optional_array()?.map(SubjectId::from_bytes),
                verification: columns.optional_array()?.map(VerificationId::from_bytes),
                provider: columns.optional_text()?.map(provider_name).transpose()?,
                target: columns.optional_text()?.map(ToOwned::to_owned),
                reason: columns.optional_text()?.map(ToOwned::to_owned),
                from: columns.optional_word()?,
                to: columns.optional_word()?,
                fields: fields(columns.text()?)?,
                request_id: columns.optional_text()?.map(ToOwned::to_owned),
            },
            hash: columns.read()?,
        })
    }
}

impl FromColumns for ApiKey {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            id: ApiKeyId::from_bytes(columns.array()?),
            name: columns.read()?,
            subject: columns.read()?,
            role: columns.word()?,
            digest: columns.array()?,
            allowed_addresses: addresses(columns.text()?)?,
            created_at: columns.read()?,
            expires_at: columns.optional_time()?,
            revoked_at: columns.optional_time()?,
            last_used_at: columns.optional_time()?,
        })
    }
}

impl FromColumns for Recorded {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let body = columns.array()?;
        let subject = columns.optional_array()?.map(SubjectId::from_bytes);
        let answer = match (subject, columns.optional_sealed()?, columns.optional_array()?) {
            (Some(subject), Some(answer), None) => RecordedAnswer::Sealed { subject, answer },
            (None, None, Some(id)) => RecordedAnswer::ApiKey(ApiKeyId::from_bytes(id)),
            (_, _, _) => return Err(Fault::Unreadable),
        };
        let expires_at = columns.read()?;
        let key = match (columns.optional_integer()?, columns.optional_bytes()?) {
            (Some(version), Some(bytes)) => {
                let master_version = u32::try_from(version).map_err(|_| Fault::Unreadable)?;
                Some(WrappedKey { master_version, bytes: bytes.to_vec() })
            }
            (_, _) => None,
        };
        Ok(Self { body, answer, expires_at, key })
    }
}

impl FromColumns for KeyName {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Self::parse(columns.text()?).map_err(|_| Fault::Unreadable)
    }
}

impl FromColumns for (SubjectId, CustomerId) {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok((SubjectId::from_bytes(columns.array()?), columns.read()?))
    }
}

/// A customer's verification. One of another customer is an edit by hand.
fn verification_of(columns: &mut Columns<'_>, row: &CustomerRow) -> Result<Verification, Fault> {
    let verification: Verification = columns.read()?;
    if verification.subject == row.subject { Ok(verification) } else { Err(Fault::Unreadable) }
}

impl FromColumns for Erasure {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let digest = columns.array()?;
        let fingerprint =
            Fingerprint { kind: FingerprintKind::CustomerId, key_version: columns.number()?, digest };
        Ok(Self {
            fingerprint,
            subject: SubjectId::from_bytes(columns.array()?),
            at: columns.read()?,
            reason: columns.word()?,
        })
    }
}

impl FromColumns for VersionRow {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self { version: columns.number()?, data: columns.read()?, at: columns.read()? })
    }
}

impl FromColumns for EndedRelationship {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        let ended_on = columns.word()?;
        let subject = SubjectId::from_bytes(columns.array()?);
        Ok(Self { ended_on, subject, customer_id: columns.read()? })
    }
}

/// Ranges as one text, with one space between.
pub(super) fn addresses_text(ranges: &[AddressRange]) -> String {
    ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// No range at all means every address, so only a text that is quite empty is read so.
fn addresses(text: &str) -> Result<Vec<AddressRange>, Fault> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(' ').map(|range| AddressRange::parse(range).map_err(|_| Fault::Unreadable)).collect()
}

/// Names of fields with one space between, so that no two texts are the same fields: the hash of an event covers
/// the fields, and an edit of the text must not pass.
fn fields(text: &str) -> Result<Vec<Field>, Fault> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(' ').map(word).collect()
}

fn provider_name(text: &str) -> Result<ProviderName, Fault> {
    ProviderName::parse(text).map_err(|_| Fault::Unreadable)
}

/// A counter as its key: kind, word and bucket.
pub(super) const fn counter_key(counter: Counter) -> (&'static str, &'static str, u16) {
    match counter {
        Counter::Status(kind) => ("status", kind.as_str(), 0),
        Counter::Discrepancy(code) => ("discrepancy", code.as_str(), 0),
        Counter::Decision { by, bucket } => ("decision", by.as_str(), bucket),
        Counter::Erased => ("erased", "", 0),
    }
}

/// Discrepancies as one text: one a line, five words with one space between, an absent one empty. None of
/// the words can hold a space or a line feed.
pub(super) fn discrepancies_text(discrepancies: &[Discrepancy]) -> String {
    let mut text = String::new();
    for found in discrepancies {
        if !text.is_empty() {
            text.push('\n');
        }
        let words = [
            found.code.as_str(),
            found.field.map_or("", |field| field.as_str()),
            found.severity.as_str(),
            found.provider.as_ref().map_or("", |provider| provider.as_str()),
            found.provider_code.as_ref().map_or("", |code| code.as_str()),
        ];
        text.push_str(&words.join(" "));
    }
    text
}

fn discrepancies(text: &str) -> Result<Vec<Discrepancy>, Fault> {
    text.lines().map(discrepancy).collect()
}

fn discrepancy(line: &str) -> Result<Discrepancy, Fault> {
    let mut words = line.split(' ');
    let mut next = || words.next().map(|text| (!text.is_empty()).then_some(text)).ok_or(Fault::Unreadable);
    let found = Discrepancy {
        code: word(next()?.unwrap_or_default())?,
        field: next()?.map(word).transpose()?,
        severity: word(next()?.unwrap_or_default())?,
        provider: next()?.map(provider_name).transpose()?,
        provider_code: next()?.map(provider_code).transpose()?,
    };
    if words.next().is_some() { Err(Fault::Unreadable) } else { Ok(found) }
}

fn provider_code(text: &str) -> Result<ProviderCode, Fault> {
    ProviderCode::sanitised(text).filter(|code| code.as_str() == text).ok_or(Fault::Unreadable)
}

#[cfg(test)]
mod tests;
