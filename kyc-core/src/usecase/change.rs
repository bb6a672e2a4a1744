//! A change of one customer: the row, the verifications, the counters and the events that belong
//! together, put into one changeset.

use jiff::Timestamp;

use super::{Answer, Kyc, PortFailure, Refused};
use crate::domain::audit::AuditEvent;
use crate::domain::discrepancy::{Code, Discrepancy};
use crate::domain::field::Field;
use crate::domain::ids::VerificationId;
use crate::domain::report::{Counter, DayCount, Decider, bucket};
use crate::domain::schedule;
use crate::domain::status::Status;
use crate::domain::verification::{Cause, Event, State, Verification};
use crate::ports::store::{CustomerRow, Guard, IdempotencyRecord, Lease, Write};

/// A change in the making. It begins as what is there; what is written is the difference.
pub(super) struct Change<'a> {
    before: &'a CustomerRow,
    latest: &'a Verification,
    /// The customer as it will be.
    pub(super) row: CustomerRow,
    /// The verification that will be the latest.
    pub(super) verification: Verification,
    lease: Option<Lease>,
    unclaimed: bool,
    now: Timestamp,
    writes: Vec<Write>,
    audit: Vec<AuditEvent>,
    record: Option<IdempotencyRecord>,
}

impl<'a> Change<'a> {
    /// A change of `row`, whose latest verification is `latest`.
    pub(super) fn of(row: &'a CustomerRow, latest: &'a Verification, now: Timestamp) -> Self {
        let mut after = row.clone();
        after.revision += 1;
        after.updated_at = now;
        Self {
            before: row,
            latest,
            row: after,
            verification: latest.clone(),
            lease: None,
            unclaimed: false,
            now,
            writes: Vec::new(),
            audit: Vec::new(),
            record: None,
        }
    }

    /// The change is a worker's: it holds only under this lease.
    pub(super) fn under(mut self, lease: Option<Lease>) -> Self {
        self.lease = lease;
        self
    }

    /// The change holds only where no worker has taken the verification.
    pub(super) const fn unclaimed(mut self) -> Self {
        self.unclaimed = true;
        self
    }

    /// One more thing to write.
    pub(super) fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Records the answer where the request has an idempotency key. To be called last, once the row is as it will
    /// be; `shown` are the fields of the customer that the answer shows.
    pub(super) fn answer(
        &mut self,
        kyc: &Kyc,
        answer: Answer<'_>,
        shown: impl FnOnce() -> Vec<Field>,
    ) -> Result<(), Refused> {
        self.record = kyc.remember(&mut self.row, answer, shown, self.now).map_err(Refused::Failed)?;
        Ok(())
    }

    /// One more event.
    pub(super) fn witness(&mut self, event: AuditEvent) {
        self.audit.push(event.on(self.row.subject));
    }

    /// Puts a new verification in the place of the latest, which is superseded where it is open.
    pub(super) fn queue(&mut self, next: Verification) {
        if let Ok(superseded) = self.latest.clone().ended(Event::Superseded, self.now) {
            self.writes.push(Write::PutVerification(superseded));
        }
        self.row.latest = next.id;
        self.row.decided_at = None;
        self.verification = next;
    }

    /// Puts a new verification behind the latest, which has ended so.
    pub(super) fn follow(&mut self, ended: Verification, next: Verification) {
        self.writes.push(Write::PutVerification(ended));
        self.row.latest = next.id;
        self.verification = next;
    }

    /// Counts a decision of the rules.
    pub(super) fn count_decision(&mut self) {
        let begun = self.verification.submitted_at.unwrap_or(self.verification.scheduled_for);
        let seconds = self.now.duration_since(begun).as_secs();
        let bucket = bucket(u64::try_from(seconds).unwrap_or(0));
        self.count(Counter::Decision { by: Decider::Automatic, bucket }, 1);
    }

    fn count(&mut self, counter: Counter, count: i64) {
        self.writes.push(Write::Count(DayCount { day: self.row.registered_on(), counter, count }));
    }

    /// Commits the change, guarded by the revision that was read and the lease.
    pub(super) async fn commit(mut self, kyc: &Kyc) -> Result<CustomerRow, Refused> {
        let counts = differences(
            Some((self.before.status, &self.latest.discrepancies)),
            (self.row.status, &self.verification.discrepancies),
        );
        for (counter, count) in counts {
            self.count(counter, count);
        }
        let (id, unclaimed) = (self.verification.id, self.unclaimed);
        if self.verification != *self.latest {
            self.writes.push(Write::PutVerification(self.verification));
        }
        let record = match self.record.take() {
            Some(record) => Some(record),
            None => kyc.remember_callback(&mut self.row, self.now).map_err(Refused::Failed)?,
        };
        let mut writes = vec![Write::UpdateCustomer(self.row.clone())];
        writes.append(&mut self.writes);
        let mut guards =
            vec![Guard::Revision { subject: self.before.subject, revision: self.before.revision }];
        guards.extend(self.lease.map(Guard::Lease));
        guards.extend(unclaimed.then_some(Guard::Unclaimed(id)));
        kyc.commit_recorded(self.now, guards, writes, self.audit, record).await?;
        Ok(self.row)
    }
}

/// How the counters change when a customer goes from one status and set of discrepancies to another.
pub(super) fn differences(
    before: Option<(Status, &[Discrepancy])>,
    after: (Status, &[Discrepancy]),
) -> Vec<(Counter, i64)> {
    let counters = |(status, discrepancies): (Status, &[Discrepancy])| {
        let mut counters = vec![Counter::Status(status.kind())];
        counters.extend(codes(discrepancies).into_iter().map(Counter::Discrepancy));
        counters
    };
    let before = before.map(counters).unwrap_or_default();
    let after = counters(after);
    let gone = before.iter().filter(|counter| !after.contains(counter)).map(|counter| (*counter, -1));
    let come = after.iter().filter(|counter| !before.contains(counter)).map(|counter| (*counter, 1));
    gone.chain(come).collect()
}

/// The codes of discrepancies, each once: a customer counts once for a code.
pub(super) fn codes(discrepancies: &[Discrepancy]) -> Vec<Code> {
    let mut codes: Vec<Code> = discrepancies.iter().map(|found| found.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

impl Kyc {
    /// The next verification of a customer, at the time that the daily limit allows.
    pub(super) async fn next_verification(
        &self,
        row: &CustomerRow,
        cause: Cause,
        now: Timestamp,
    ) -> Result<Verification, PortFailure> {
        let limit = self.policy.verifications_per_day;
        let scheduled_for = if limit == 0 {
            now
        } else {
            let all = self.ports.store.verifications(row.subject).await?;
            // One that the new one supersedes before its time has come never ran, and frees its slot.
            // A second opinion belongs to the one whose answer it is about.
            let counted = all.iter().filter(|one| {
                let waits = matches!(one.state, State::Queued | State::Superseded);
                one.cause != Cause::SecondOpinion && !(waits && one.scheduled_for > now)
            });
            let scheduled: Vec<Timestamp> = counted.map(|one| one.scheduled_for).collect();
            schedule::next_slot(now, limit, &scheduled)
        };
        // Newest first is by id, and so is the latest.
        let id = VerificationId::after(row.latest, now, self.random()?);
        let provider = self.ports.providers.first().name();
        Ok(Verification::queued(id, row.subject, row.version, provider, cause, now, scheduled_for))
    }
}

/// Whether a customer of this status reads as expired at `now`.
pub(super) fn has_run_out(status: Status, now: Timestamp) -> bool {
    status.at(now) != status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::{Stage, StatusKind};

    #[test]
    fn only_what_differs_is_counted() {
        let queued = Status::Pending(Stage::Queued);
        let review = Status::Pending(Stage::InReview);
        let verified = Status::Verified { valid_until: None };
        let name = [Discrepancy::of(Code::MismatchName), Discrepancy::of(Code::MismatchName)];
        let face = [Discrepancy::of(Code::MismatchFace)];
        assert_eq!(differences(None, (queued, &[])), [(Counter::Status(StatusKind::Pending), 1)]);
        assert_eq!(differences(Some((queued, &[])), (review, &[])), []);
        assert_eq!(
            differences(Some((queued, &name)), (verified, &face)),
            [
                (Counter::Status(StatusKind::Pending), -1),
                (Counter::Discrepancy(Code::MismatchName), -1),
                (Counter::Status(StatusKind::Verified), 1),
                (Counter::Discrepancy(Code::MismatchFace), 1),
            ]
        );
    }
}
