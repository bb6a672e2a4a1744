//! What the service says of itself: its document, Swagger UI, and what each type of problem means.

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::{Html, Json};
use poem_openapi::types::Any;

use super::Tag;
use super::problem::{Problem, ProblemDescription, ProblemKind, Refusal, Refuses};

/// The endpoints of [`service`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceApi;

/// The API's document, in two forms. Empty while the document itself is being made.
#[derive(Debug, Default)]
pub struct Document {
    /// The OpenAPI document.
    pub json: serde_json::Value,
    /// Swagger UI with the document in it.
    pub page: String,
}

/// What a description of a problem refuses with.
#[derive(Debug)]
struct DescribeRefuses;
impl Refuses for DescribeRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[&[ProblemKind::NotFound, ProblemKind::Timeout, ProblemKind::RateLimited, ProblemKind::Internal]];
}

/// What the documents refuse with.
#[derive(Debug)]
struct DocumentRefuses;
impl Refuses for DocumentRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[&[ProblemKind::Timeout, ProblemKind::RateLimited, ProblemKind::Internal]];
}

fn example_name() -> String {
    ProblemKind::ValidationFailed.name().to_owned()
}

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi(tag = "Tag::Service")]
impl ServiceApi {
    /// The OpenAPI document
    #[oai(path = "/openapi.json", method = "get", operation_id = "openapi")]
    async fn openapi(
        &self,
        Data(document): Data<&Arc<Document>>,
    ) -> Result<Json<Any<serde_json::Value>>, Refusal<DocumentRefuses>> {
        Ok(Json(Any(document.json.clone())))
    }

    /// Swagger UI
    ///
    /// The document as a page on which each request can be tried out.
    #[oai(path = "/docs", method = "get", operation_id = "docs")]
    async fn docs(
        &self,
        Data(document): Data<&Arc<Document>>,
    ) -> Result<Html<String>, Refusal<DocumentRefuses>> {
        Ok(Html(document.page.clone()))
    }

    /// What does a problem type mean?
    ///
    /// The `type` of every problem is the address of its description here.
    #[oai(path = "/problems/:name", method = "get", operation_id = "describeProblem")]
    async fn problem(
        &self,
        /// The last part of the problem's `type`.
        #[oai(example = "example_name")]
        name: Path<String>,
    ) -> Result<Json<ProblemDescription>, Refusal<DescribeRefuses>> {
        let kind = ProblemKind::by_name(&name).ok_or(Problem::new(ProblemKind::NotFound))?;
        Ok(Json(kind.describe()))
    }
}
