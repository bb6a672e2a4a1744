//! The report in JSON, and its days in CSV.

use std::fmt::Write;

use kyc_core::domain::discrepancy::Code;
use kyc_core::domain::report::{Report, StatusCounts};
use poem::http::HeaderValue;
use poem::http::header::CONTENT_TYPE;
use poem::{IntoResponse, Response};
use poem_openapi::Object;
use poem_openapi::payload::Payload;
use poem_openapi::registry::MetaSchemaRef;
use poem_openapi::types::Type;

use crate::api::values::{Day, Word};

/// A report.
#[derive(Debug, Object)]
#[oai(rename = "Report")]
pub(super) struct ReportBody {
    /// The first day.
    start: Day,
    /// The last day.
    end: Day,
    /// Every customer registered in the range, erased ones included.
    total: i64,
    /// Customers who are verified now.
    verified: i64,
    /// Customers who are pending now.
    pending: i64,
    /// Customers who are rejected now.
    rejected: i64,
    /// Customers who have been erased.
    erased: i64,
    /// The counts of each day.
    by_day: Vec<DayBody>,
    /// Discrepancies of each customer's latest verification, most frequent first.
    discrepancies: Vec<CountBody>,
    /// The decisions on these customers.
    decisions: DecisionsBody,
}

/// The counts of a day.
#[derive(Debug, Object)]
#[oai(rename = "ReportDay")]
pub(super) struct DayBody {
    /// The day of registration, UTC.
    date: Day,
    /// Customers who are verified now.
    verified: i64,
    /// Customers who are pending now.
    pending: i64,
    /// Customers who are rejected now.
    rejected: i64,
}

/// How many customers have a discrepancy.
#[derive(Debug, Object)]
#[oai(rename = "DiscrepancyCount")]
pub(super) struct CountBody {
    /// The discrepancy.
    code: Word<Code>,
    /// How many customers.
    count: i64,
}

/// How decisions were made, and how long they took.
#[derive(Debug, Object)]
#[oai(rename = "Decisions")]
pub(super) struct DecisionsBody {
    /// Decided by the rules.
    automatic: i64,
    /// Decided by a reviewer.
    manual: i64,
    /// The median of the seconds from submission to decision, at most 3.2 % too high; null without a decision.
    #[oai(nullable)]
    median_seconds: Option<u64>,
    /// The 95th percentile of the same.
    #[oai(nullable)]
    p95_seconds: Option<u64>,
}

impl From<Report> for ReportBody {
    fn from(report: Report) -> Self {
        let day = |(date, counts): &(_, StatusCounts)| DayBody {
            date: Day(*date),
            verified: counts.verified,
            pending: counts.pending,
            rejected: counts.rejected,
        };
        Self {
            start: Day(report.range.start()),
            end: Day(report.range.end()),
            total: report.total,
            verified: report.statuses.verified,
            pending: report.statuses.pending,
            rejected: report.statuses.rejected,
            erased: report.erased,
            by_day: report.by_day.iter().map(day).collect(),
            discrepancies: report
                .discrepancies
                .iter()
                .map(|(code, count)| CountBody { code: Word(*code), count: *count })
                .collect(),
            decisions: DecisionsBody {
                automatic: report.decisions.automatic,
                manual: report.decisions.manual,
                median_seconds: report.decisions.median_seconds,
                p95_seconds: report.decisions.p95_seconds,
            },
        }
    }
}

/// The days of a report as CSV (RFC 4180), with a header line.
#[derive(Debug)]
pub(super) struct Csv(String);

impl Csv {
    /// The days of `report`.
    pub(super) fn of(report: &Report) -> Self {
        let mut text = String::from("date,verified,pending,rejected\r\n");
        for (date, counts) in &report.by_day {
            // Writing to a string can't fail.
            let _ = write!(text, "{date},{},{},{}\r\n", counts.verified, counts.pending, counts.rejected);
        }
        Self(text)
    }
}

impl Payload for Csv {
    const CONTENT_TYPE: &'static str = "text/csv; charset=utf-8";

    fn schema_ref() -> MetaSchemaRef {
        String::schema_ref()
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT_TYPE));
        response
    }
}
