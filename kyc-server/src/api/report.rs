//! `GET /report`: counts of the customers registered in a range of days, as JSON or CSV.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::fault::Faults;
use poem::Request;
use poem::http::header::ACCEPT;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi, ResponseContent};

use self::body::{Csv, ReportBody};
use super::Tag;
use super::auth::Authenticated;
use super::problem::{self, ProblemKind, Refusal, Refuses};
use super::query::{Lenient, refuse_unknown};
use super::values::Day;

/// The endpoint of [`report`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportApi;

#[derive(Debug, ResponseContent)]
enum Content {
    Json(Json<ReportBody>),
    Csv(Csv),
}

/// The report.
#[derive(Debug, ApiResponse)]
enum ReportResponse {
    /// The report; with `Accept: text/csv` the counts by day as CSV.
    #[oai(status = 200)]
    Ok(Content),
}

/// What `GET /report` refuses with.
#[derive(Debug)]
struct ReportRefuses;
impl Refuses for ReportRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

const DAY_EXPECTED: &str = "a day such as 2026-01-31 is expected";

#[OpenApi(tag = "Tag::Report")]
impl ReportApi {
    /// Report on a range of days
    ///
    /// Counts the customers registered from `start` to `end`, both days included, UTC, by the status that
    /// they have now. `discrepancies` are those of each customer's latest verification; `decisions` are all
    /// decisions on these customers, timed from the submission.
    #[oai(path = "/report", method = "get", operation_id = "readReport")]
    async fn report(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        request: &Request,
        /// The first day of registration.
        start: Query<Lenient<Day>>,
        /// The last day of registration; at most 3,660 days in all.
        end: Query<Lenient<Day>>,
    ) -> Result<ReportResponse, Refusal<ReportRefuses>> {
        let mut faults = Faults::new();
        let start = start.0.required("start", DAY_EXPECTED, &mut faults);
        let end = end.0.required("end", DAY_EXPECTED, &mut faults);
        refuse_unknown(request, &["start", "end"], &mut faults);
        let (Some(start), Some(end), true) = (start, end, faults.is_empty()) else {
            return Err(faults.into());
        };
        let report = kyc.report(&actor.0, start.0, end.0).await?;
        Ok(ReportResponse::Ok(if wants_csv(request) {
            Content::Csv(Csv::of(&report))
        } else {
            Content::Json(Json(report.into()))
        }))
    }
}

/// Whether the caller names CSV before JSON. Anything else is answered with JSON.
fn wants_csv(request: &Request) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let types = accept.split(',').filter_map(|range| range.split(';').next()).map(str::trim);
    let first = types.into_iter().find(|range| matches!(*range, "text/csv" | "application/json" | "*/*"));
    first == Some("text/csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_for_who_names_it_first() {
        for (accept, expected) in [
            ("text/csv", true),
            ("text/csv; charset=utf-8, application/json", true),
            ("application/json, text/csv", false),
            ("text/html, */*", false),
            ("", false),
        ] {
            let request = Request::builder().header(ACCEPT, accept).finish();
            assert_eq!(wants_csv(&request), expected, "{accept}");
        }
    }
}
