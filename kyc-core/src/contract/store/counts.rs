//! Cases: the counters behind the report.

use jiff::ToSpan;
use jiff::civil::Date;

use super::commit::{commit, counts};
use super::rows::{changeset, count, days, first_day};
use crate::domain::discrepancy::Code;
use crate::domain::report::{Counter, DayCount, Decider, Range};
use crate::domain::status::StatusKind;
use crate::ports::Store;
use crate::ports::store::Write;

async fn add(store: &dyn Store, changes: &[DayCount]) {
    commit(store, changeset(1, changes.iter().copied().map(Write::Count).collect())).await;
}

pub(super) async fn counters_add_up_and_go_down_again(store: &dyn Store) {
    add(store, &[count(StatusKind::Pending, 5), count(StatusKind::Verified, 1)]).await;
    add(store, &[count(StatusKind::Pending, -2), count(StatusKind::Verified, 1)]).await;
    let mut expected = [count(StatusKind::Pending, 3), count(StatusKind::Verified, 2)];
    expected.sort_unstable();
    assert_eq!(counts(store).await, expected);
    add(store, &[count(StatusKind::Pending, -3), count(StatusKind::Verified, -3)]).await;
    assert_eq!(counts(store).await, [count(StatusKind::Verified, -1)]);
    add(store, &[count(StatusKind::Pending, 1 << 40)]).await;
    assert!(counts(store).await.contains(&count(StatusKind::Pending, 1 << 40)));
}

pub(super) async fn a_range_has_its_first_and_last_day_and_none_beside(store: &dyn Store) {
    let on = |day: Date| DayCount { day, ..count(StatusKind::Pending, 1) };
    let every_day: Vec<_> = (-2..=400).map(|days| on(first_day() + days.days())).collect();
    add(store, &every_day).await;
    // Within a day, over the end of a month, of a February and of a year, and of more days than there are.
    for (start, end) in [(0, 0), (-2, 3), (30, 31), (58, 59), (364, 365), (-100, 1000), (500, 501)] {
        let (start, end) = (first_day() + start.days(), first_day() + end.days());
        let range = Range::new(start, end).expect("a range that is not reversed");
        let mut told = store.counts(range).await.expect("a read works");
        told.sort_unstable();
        let expected = every_day.iter().filter(|counted| (start..=end).contains(&counted.day));
        assert_eq!(told, expected.copied().collect::<Vec<_>>(), "{start} to {end}");
    }
}

pub(super) async fn every_counter_is_read_back(store: &dyn Store) {
    let mut counters: Vec<_> = StatusKind::ALL.iter().copied().map(Counter::Status).collect();
    counters.extend(Code::ALL.iter().copied().map(Counter::Discrepancy));
    for by in Decider::ALL {
        counters
            .extend([0, 1, 31, 32, 255, 256, u16::MAX].map(|bucket| Counter::Decision { by: *by, bucket }));
    }
    counters.push(Counter::Erased);
    let mut written = Vec::new();
    for day in [days().start(), days().end()] {
        let each = (1..).zip(&counters);
        written.extend(each.map(|(count, counter)| DayCount { day, counter: *counter, count }));
    }
    add(store, &written).await;
    written.sort_unstable();
    assert_eq!(counts(store).await, written);
}
