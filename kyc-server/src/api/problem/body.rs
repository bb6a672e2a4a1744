//! The JSON of a problem, as the API's document shows it.

use kyc_core::domain::actor::RequestId;
use kyc_core::domain::fault::Fault;
use poem_openapi::Object;

use super::{Problem, ProblemKind};
use crate::api::values::Day;

/// Why a request was refused (RFC 9457).
#[derive(Debug, Clone, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none)]
pub struct ProblemBody {
    /// What clients branch on: a stable URI, relative to this server, which also answers to GET.
    #[oai(rename = "type")]
    pub type_uri: String,
    /// What the problem is; the same for every occurrence.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened this time.
    pub detail: Option<String>,
    /// `urn:request:` and the X-Request-Id.
    pub instance: Option<String>,
    /// Every fault of the input, for `validation-failed`.
    pub errors: Option<Vec<FaultBody>>,
    /// From which day on the customer may be erased, for `retention`.
    pub erasable_from: Option<Day>,
}

/// One fault of the input.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Fault")]
pub struct FaultBody {
    /// A JSON pointer (RFC 6901) into the body, `?name` for a query parameter, or the name of a header.
    pub pointer: String,
    /// What clients branch on.
    pub code: String,
    /// What is expected.
    pub detail: String,
}

impl ProblemBody {
    pub(super) fn of(problem: &Problem, request: Option<&RequestId>) -> Self {
        let faults = problem.faults().as_slice();
        Self {
            type_uri: problem.kind.type_uri().to_owned(),
            title: problem.kind.title().to_owned(),
            status: problem.kind.status().as_u16(),
            detail: problem.said.detail.as_deref().map(str::to_owned),
            instance: request.map(|id| format!("urn:request:{id}")),
            errors: (!faults.is_empty()).then(|| faults.iter().map(FaultBody::of).collect()),
            erasable_from: problem.said.erasable_from.map(Day),
        }
    }
}

impl ProblemBody {
    /// What an answer of this kind looks like, for the API's document.
    pub(super) fn example_of(kind: ProblemKind) -> Self {
        let fault = FaultBody {
            pointer: "/email".to_owned(),
            code: "email.invalid".to_owned(),
            detail: "an e-mail address such as name@example.com is expected".to_owned(),
        };
        Self {
            instance: Some("urn:request:3984154e2bba33c08c7b5507ecdd2cfb".to_owned()),
            errors: (kind == ProblemKind::ValidationFailed).then(|| vec![fault]),
            erasable_from: (kind == ProblemKind::Retention).then(|| Day(jiff::civil::date(2031, 1, 31))),
            ..Self::of(&Problem::new(kind), None)
        }
    }
}

impl FaultBody {
    fn of(fault: &Fault) -> Self {
        Self { pointer: fault.pointer.clone(), code: fault.code.to_owned(), detail: fault.detail.to_owned() }
    }
}

/// What is to be known of a problem type.
#[derive(Debug, Clone, Object)]
pub struct ProblemDescription {
    /// The type URI.
    #[oai(rename = "type")]
    pub type_uri: String,
    /// What the problem is.
    pub title: String,
    /// The status of answers with it.
    pub status: u16,
    /// What the caller can do about it.
    pub mend: String,
}

impl ProblemKind {
    /// What `GET /problems/{name}` answers.
    #[must_use]
    pub fn describe(self) -> ProblemDescription {
        ProblemDescription {
            type_uri: self.type_uri().to_owned(),
            title: self.title().to_owned(),
            status: self.status().as_u16(),
            mend: self.mend().to_owned(),
        }
    }
}
