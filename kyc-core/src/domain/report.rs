//! The report: counts of the customers registered in a range of days, from counters kept at commit.
//!
//! A report costs its days and not its customers (I9), so nothing here looks at a customer.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::discrepancy::Code;
use super::fault::Faults;
use super::status::StatusKind;
use super::words::words;

/// What is counted, each by the day (UTC) on which the customer was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Customers by the status that they have now.
    Status(StatusKind),
    /// Discrepancies of each customer's latest verification.
    Discrepancy(Code),
    /// Decisions that verified or rejected a customer, by how long they took.
    Decision {
        /// Who decided.
        by: Decider,
        /// The time it took, as a [`bucket`].
        bucket: u16,
    },
    /// Customers who were erased. They have left the counters of statuses and discrepancies; the decisions on
    /// them stay counted.
    Erased,
}

words! {
    /// Who decided.
    pub enum Decider, "decider" {
        /// The rules.
        Automatic = "automatic",
        /// A reviewer.
        Manual = "manual",
    }
}

/// A counter's value of one day, or a change of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayCount {
    /// The day of registration, UTC.
    pub day: Date,
    /// What is counted.
    pub counter: Counter,
    /// How many, or by how many it changes.
    pub count: i64,
}

/// A range of days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    start: Date,
    end: Date,
}

impl Range {
    /// The most days of a range: ten years.
    pub const MAX_DAYS: i32 = 3660;

    /// A range from its first and last day.
    ///
    /// # Errors
    /// `range.reversed` at `?start` where it begins after its end, `range.too_long` at `?end`.
    pub fn new(start: Date, end: Date) -> Result<Self, Faults> {
        let range = Self { start, end };
        let mut faults = Faults::new();
        if start > end {
            faults.add("?start", "range.reversed", "the first day is after the last");
        } else if range.len() > Self::MAX_DAYS {
            faults.add("?end", "range.too_long", "a range of at most 3660 days is expected");
        }
        if faults.is_empty() { Ok(range) } else { Err(faults) }
    }

    /// The first day.
    #[must_use]
    pub const fn start(&self) -> Date {
        self.start
    }

    /// The last day.
    #[must_use]
    pub const fn end(&self) -> Date {
        self.end
    }

    fn len(self) -> i32 {
        self.start
            .duration_until(self.end)
            .as_hours()
            .try_into()
            .map_or(i32::MAX, |hours: i32| hours / 24 + 1)
    }

    fn days(&self) -> impl Iterator<Item = Date> {
        let end = self.end;
        std::iter::successors(Some(self.start), |day| day.tomorrow().ok()).take_while(move |day| *day <= end)
    }
}

/// The report over a range of days of registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The range.
    pub range: Range,
    /// Every customer registered in it, erased ones included.
    pub total: i64,
    /// Those who are verified now, and the others.
    pub statuses: StatusCounts,
    /// Customers who have been erased.
    pub erased: i64,
    /// The counts of each day, days without customers included.
    pub by_day: Vec<(Date, StatusCounts)>,
    /// Discrepancies of each customer's latest verification, most frequent first.
    pub discrepancies: Vec<(Code, i64)>,
    /// The decisions on these customers.
    pub decisions: Decisions,
}

/// How many customers have each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Verified customers.
    pub verified: i64,
    /// Pending customers.
    pub pending: i64,
    /// Rejected customers.
    pub rejected: i64,
}

impl StatusCounts {
    fn add(&mut self, kind: StatusKind, count: i64) {
        match kind {
            StatusKind::Verified => self.verified += count,
            StatusKind::Pending => self.pending += count,
            StatusKind::Rejected => self.rejected += count,
        }
    }

    const fn sum(self) -> i64 {
        self.verified + self.pending + self.rejected
    }
}

/// How decisions were made, and how long they took from the submission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Decided by the rules.
    pub automatic: i64,
    /// Decided by a reviewer.
    pub manual: i64,
    /// The median in seconds, by nearest rank; none without a decision.
    pub median_seconds: Option<u64>,
    /// The 95th percentile in seconds, by nearest rank.
    pub p95_seconds: Option<u64>,
}

impl Report {
    /// Puts the counters of a range together.
    #[must_use]
    pub fn assemble(range: Range, counts: &[DayCount]) -> Self {
        let mut by_day: BTreeMap<Date, StatusCounts> =
            range.days().map(|day| (day, StatusCounts::default())).collect();
        let mut statuses = StatusCounts::default();
        let mut discrepancies: BTreeMap<Code, i64> = BTreeMap::new();
        let mut buckets: BTreeMap<u16, i64> = BTreeMap::new();
        let mut decisions = Decisions::default();
        let mut erased = 0;
        for DayCount { day, counter, count } in counts {
            match counter {
                Counter::Status(kind) => {
                    statuses.add(*kind, *count);
                    by_day.entry(*day).or_default().add(*kind, *count);
                }
                Counter::Erased => erased += count,
                Counter::Discrepancy(code) => *discrepancies.entry(*code).or_default() += count,
                Counter::Decision { by, bucket } => {
                    *buckets.entry(*bucket).or_default() += count;
                    match by {
                        Decider::Automatic => decisions.automatic += count,
                        Decider::Manual => decisions.manual += count,
                    }
                }
            }
        }
        decisions.median_seconds = percentile(&buckets, 50);
        decisions.p95_seconds = percentile(&buckets, 95);
        let mut discrepancies: Vec<_> = discrepancies.into_iter().filter(|(_, count)| *count > 0).collect();
        discrepancies.sort_by(|(a_code, a), (b_code, b)| b.cmp(a).then(a_code.cmp(b_code)));
        Self {
            range,
            total: statuses.sum() + erased,
            statuses,
            erased,
            by_day: by_day.into_iter().collect(),
            discrepancies,
            decisions,
        }
    }
}

/// Buckets between two powers of two; a value is known to one part in this many.
const SUB_BUCKETS: u64 = 32;

/// The bucket of a duration in seconds: exact below 32 s, and then 32 buckets to each power of two, so
/// that a percentile is at most 3.2 % too high. Buckets of two days or two stores add up, which
/// percentiles do not (`HdrHistogram`'s scheme, with a fixed size).
#[must_use]
pub fn bucket(seconds: u64) -> u16 {
    let seconds = seconds.min(u64::from(u32::MAX));
    if seconds < SUB_BUCKETS {
        return u16::try_from(seconds).unwrap_or(u16::MAX);
    }
    let shift = u64::from(seconds.ilog2() - SUB_BUCKETS.ilog2());
    u16::try_from(shift * SUB_BUCKETS + (seconds >> shift)).unwrap_or(u16::MAX)
}

/// The highest number of seconds that falls into a bucket.
#[must_use]
pub fn bucket_seconds(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < 2 * SUB_BUCKETS {
        return bucket;
    }
    let shift = (bucket / SUB_BUCKETS - 1).min(32);
    ((bucket % SUB_BUCKETS + SUB_BUCKETS + 1) << shift) - 1
}

/// The upper bound of the values of which so many percent are no higher, by nearest rank; none of no values.
pub(crate) fn percentile(buckets: &BTreeMap<u16, i64>, percent: u64) -> Option<u64> {
    let total: u64 = buckets.values().filter_map(|count| u64::try_from(*count).ok()).sum();
    let rank = (total * percent).div_ceil(100).max(1);
    let mut seen = 0;
    buckets.iter().find_map(|(bucket, count)| {
        seen += u64::try_from(*count).unwrap_or(0);
        (seen >= rank).then(|| bucket_seconds(*bucket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn range(start: &str, end: &str) -> Range {
        Range::new(day(start), day(end)).unwrap()
    }

    #[test]
    fn a_bucket_holds_its_value_within_one_part_in_32() {
        for seconds in (0..100_000).chain([1 << 20, (1 << 20) + 1, (1 << 31) - 1, u64::from(u32::MAX)]) {
            let top = bucket_seconds(bucket(seconds));
            assert!(top >= seconds && top - seconds <= seconds / SUB_BUCKETS, "{seconds} {top}");
        }
    }

    #[test]
    fn buckets_rise_with_the_value() {
        let mut last = 0;
        for seconds in 0..100_000 {
            assert!(bucket(seconds) >= last && bucket(seconds) <= last + 1, "{seconds}");
            last = bucket(seconds);
        }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut buckets = BTreeMap::new();
        assert_eq!(percentile(&buckets, 50), None);
        for seconds in [1, 2, 3, 4] {
            *buckets.entry(bucket(seconds)).or_insert(0) += 1;
        }
        assert_eq!(percentile(&buckets, 50), Some(2));
        assert_eq!(percentile(&buckets, 95), Some(4));
        assert_eq!(percentile(&buckets, 1), Some(1));
    }

    #[test]
    fn a_range_has_its_bounds() {
        let fault = |start: &str, end: &str| Range::new(day(start), day(end)).unwrap_err().as_slice()[0].code;
        assert_eq!(fault("2026-02-01", "2026-01-31"), "range.reversed");
        assert_eq!(fault("2016-01-01", "2026-01-09"), "range.too_long");
        assert_eq!(range("2016-01-01", "2026-01-07").len(), 3660);
        assert_eq!(range("2026-01-01", "2026-01-01").len(), 1);
    }

    #[test]
    fn every_day_of_the_range_is_there_and_the_sums_fit() {
        let counts = [
            (day("2026-01-30"), Counter::Status(StatusKind::Verified), 3),
            (day("2026-02-01"), Counter::Status(StatusKind::Pending), 1),
            (day("2026-02-01"), Counter::Discrepancy(Code::MismatchName), 2),
            (day("2026-01-30"), Counter::Discrepancy(Code::Tampered), 5),
            (day("2026-01-30"), Counter::Discrepancy(Code::Liveness), 0),
            (day("2026-01-30"), Counter::Decision { by: Decider::Automatic, bucket: bucket(7) }, 3),
            (day("2026-01-31"), Counter::Erased, 2),
        ];
        let counts = counts.map(|(day, counter, count)| DayCount { day, counter, count });
        let report = Report::assemble(range("2026-01-30", "2026-02-01"), &counts);
        assert_eq!((report.total, report.statuses.verified, report.statuses.pending), (6, 3, 1));
        assert_eq!(report.erased, 2);
        assert_eq!(report.by_day.len(), 3);
        assert_eq!(report.by_day[1], (day("2026-01-31"), StatusCounts::default()));
        assert_eq!(report.discrepancies, [(Code::Tampered, 5), (Code::MismatchName, 2)]);
        assert_eq!(report.decisions.automatic, 3);
        assert_eq!(report.decisions.median_seconds, Some(7));
    }
}
