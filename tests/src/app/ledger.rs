//! What must hold of a store at any time, told by its ports alone: the audit chain verifies, every change of a
//! status has its event (I6), and the counters equal a recount of the customers (I9).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use kyc_core::domain::audit::{Action, AuditEvent, ChainWalk, ChainedEvent};
use kyc_core::domain::discrepancy::Code;
use kyc_core::domain::erasure::Erasure;
use kyc_core::domain::ids::SubjectId;
use kyc_core::domain::report::{Counter, DayCount, Decider, Range, bucket};
use kyc_core::domain::status::{StatusKind, StatusWord};
use kyc_core::domain::verification::Verification;
use kyc_core::ports::Store;
use kyc_core::ports::store::{CustomerFilter, CustomerRecord, PageRequest};

use super::TestApp;

/// Everything that a store tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The audit events.
    pub events: Vec<ChainedEvent>,
    /// The customers, newest first.
    pub customers: Vec<CustomerRecord>,
    /// Their verifications, newest first.
    pub verifications: BTreeMap<SubjectId, Vec<Verification>>,
    /// The erasures.
    pub erasures: Vec<Erasure>,
    /// The counters of every day on which somebody was registered, without zeros.
    pub counts: Vec<DayCount>,
}

/// Reads everything that a store tells.
///
/// # Panics
/// Where the store can't be read.
pub async fn read(store: &dyn Store) -> Ledger {
    const PAGE: u32 = 500;
    let mut events = Vec::new();
    loop {
        let last = events.last().map_or(0, |event: &ChainedEvent| event.sequence);
        let page = store.audit_events(last, PAGE).await.unwrap();
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let mut customers = Vec::new();
    loop {
        let after = customers.last().map(|record: &CustomerRecord| record.row.subject);
        let request = PageRequest { after, limit: PAGE };
        let page = store.customers(CustomerFilter::default(), request).await.unwrap();
        if page.is_empty() {
            break;
        }
        customers.extend(page);
    }
    let mut verifications = BTreeMap::new();
    for record in &customers {
        let all = store.verifications(record.row.subject).await.unwrap();
        verifications.insert(record.row.subject, all);
    }
    let mut erasures: Vec<Erasure> = Vec::new();
    loop {
        let page = store.erasures(erasures.last().map(|erasure| erasure.subject), PAGE).await.unwrap();
        if page.is_empty() {
            break;
        }
        erasures.extend(page);
    }
    let mut counts = Vec::new();
    let mut days: Vec<Date> = customers.iter().map(|record| record.row.registered_on()).collect();
    days.extend(erasures.iter().map(|erasure| made_on(erasure.subject)));
    days.sort_unstable();
    days.dedup();
    for day in days {
        counts.extend(store.counts(Range::new(day, day).unwrap()).await.unwrap());
    }
    counts.retain(|count| count.count != 0);
    counts.sort_unstable();
    Ledger { events, customers, verifications, erasures, counts }
}

/// Checks everything.
///
/// # Panics
/// Where something does not hold.
pub fn check(ledger: &Ledger) {
    let mut walk = ChainWalk::default();
    for event in &ledger.events {
        walk.step(event).unwrap_or_else(|fault| panic!("the audit chain: {fault}"));
    }
    for record in &ledger.customers {
        check_events_of(record, &ledger.events);
        let all = &ledger.verifications[&record.row.subject];
        assert!(all.contains(&record.latest), "the latest verification is one of the customer's");
        // Of two that were made in one millisecond, chance says which is listed first.
        assert!(all.iter().all(|one| one.created_at <= record.latest.created_at), "none is newer");
        let open = all.iter().filter(|one| one.state.is_open()).count();
        assert!(open == 0 || record.latest.state.is_open() && open == 1, "only the latest may be open");
    }
    assert_eq!(ledger.counts, recount(ledger), "the counters equal a recount of the customers");
}

/// Each event that moves a status begins where the one before it ended, and the last ends where the row is.
fn check_events_of(record: &CustomerRecord, events: &[ChainedEvent]) {
    let mut status: Option<StatusWord> = None;
    for event in events.iter().map(|chained| &chained.event) {
        if event.subject == Some(record.row.subject) && event.to.is_some() {
            assert_eq!(event.from, status, "{} begins where the event before it ended", event.action);
            assert!(event.from != event.to || event.reason.is_some(), "{} has a reason", event.action);
            status = event.to;
        }
    }
    assert_eq!(status, Some(record.row.status.word()), "every change of the status has its event");
}

/// The day on which an id was made, which is that of the registration: the first 48 bits of a UUID of version 7
/// are milliseconds (RFC 9562, section 5.7).
fn made_on(subject: SubjectId) -> Date {
    let mut milliseconds = [0; 8];
    milliseconds[2..].copy_from_slice(&subject.to_bytes()[..6]);
    let at = Timestamp::from_millisecond(i64::from_be_bytes(milliseconds)).unwrap();
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

/// Whether an event says that its customer was verified or rejected.
fn is_conclusive(event: &AuditEvent) -> bool {
    matches!(event.to, Some(StatusWord::Verified | StatusWord::Rejected | StatusWord::RejectedForGood))
}

/// What the counters must be, by a look at every customer.
fn recount(ledger: &Ledger) -> Vec<DayCount> {
    let mut counts: BTreeMap<(Date, Counter), i64> = BTreeMap::new();
    for record in &ledger.customers {
        let day = record.row.registered_on();
        let mut add = |counter| *counts.entry((day, counter)).or_default() += 1;
        add(Counter::Status(record.row.status.kind()));
        let mut codes: Vec<Code> = record.latest.discrepancies.iter().map(|found| found.code).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            add(Counter::Discrepancy(code));
        }
        let conclusive = |one: &&Verification| {
            let mut events = ledger.events.iter().map(|chained| &chained.event);
            events.any(|event| event.verification == Some(one.id) && is_conclusive(event))
        };
        for one in ledger.verifications[&record.row.subject].iter().filter(conclusive) {
            let begun = one.submitted_at.unwrap_or(one.scheduled_for);
            let seconds = one.completed_at.unwrap().duration_since(begun).as_secs();
            let bucket = bucket(u64::try_from(seconds).unwrap_or(0));
            add(Counter::Decision { by: Decider::Automatic, bucket });
        }
    }
    for erasure in &ledger.erasures {
        let day = made_on(erasure.subject);
        let of_person = || {
            let events = ledger.events.iter().map(|chained| &chained.event);
            events.filter(|event| event.subject == Some(erasure.subject))
        };
        // Of others the ledger alone has told.
        if of_person().any(|event| event.action == Action::CustomerErased) {
            *counts.entry((day, Counter::Erased)).or_default() += 1;
        }
        // How long a decision on somebody who was erased took is known by its counter alone.
        for _ in of_person().filter(|event| is_conclusive(event)) {
            let left = ledger.counts.iter().find(|count| {
                let counted = counts.get(&(count.day, count.counter)).copied().unwrap_or_default();
                count.day == day && matches!(count.counter, Counter::Decision { .. }) && count.count > counted
            });
            let left = left.expect("a decision stays counted when the customer is erased");
            *counts.entry((day, left.counter)).or_default() += 1;
        }
    }
    counts.into_iter().map(|((day, counter), count)| DayCount { day, counter, count }).collect()
}

impl Ledger {
    /// How many customers have this status.
    #[must_use]
    pub fn with_status(&self, kind: StatusKind) -> usize {
        self.customers.iter().filter(|record| record.row.status.kind() == kind).count()
    }
}

impl TestApp {
    /// Everything that the store tells now.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.block_on(read(self.store()))
    }

    /// The actions of the audit events since the one at `sequence`, in order.
    #[must_use]
    pub fn actions_since(&self, sequence: usize) -> Vec<&'static str> {
        self.ledger().events.iter().skip(sequence).map(|event| event.event.action.as_str()).collect()
    }

    /// How many rows each table of the database has.
    ///
    /// # Panics
    /// Where the database can't be read.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<String, i64> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = rusqlite::Connection::open_with_flags(self.data().join("kyc.db"), flags).unwrap();
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut names = database.prepare(names).unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let count = |name: &String| {
            database.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0)).unwrap()
        };
        names.iter().map(|name| (name.clone(), count(name))).collect()
    }
}
