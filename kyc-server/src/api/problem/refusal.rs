//! What an endpoint can refuse with, in its type, so that the API's document shows every status.
//!
//! ```
//! use kyc_server::api::problem::{self, Problem, ProblemKind, Refusal, Refuses};
//!
//! /// What an imaginary endpoint refuses with.
//! struct Rename;
//! impl Refuses for Rename {
//!     const KINDS: &'static [&'static [ProblemKind]] =
//!         &[problem::EVERY, problem::BODY, &[ProblemKind::NotFound]];
//! }
//!
//! fn rename(known: bool) -> Result<(), Refusal<Rename>> {
//!     if known { Ok(()) } else { Err(Problem::new(ProblemKind::NotFound))? }
//! }
//! assert_eq!(rename(false).unwrap_err().kind(), ProblemKind::NotFound);
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToJSON, Type};

use super::{MEDIA_TYPE, Problem, ProblemBody, ProblemKind};

/// What any endpoint behind authentication can answer.
pub const EVERY: &[ProblemKind] = &[
    ProblemKind::BadRequest,
    ProblemKind::Unauthorized,
    ProblemKind::Forbidden,
    ProblemKind::Timeout,
    ProblemKind::ValidationFailed,
    ProblemKind::RateLimited,
    ProblemKind::Internal,
    ProblemKind::Unavailable,
    ProblemKind::Overloaded,
];

/// What an endpoint that reads a JSON body can answer besides.
pub const BODY: &[ProblemKind] =
    &[ProblemKind::MalformedJson, ProblemKind::TooLarge, ProblemKind::UnsupportedMediaType];

/// What an endpoint that takes an idempotency key can answer besides.
pub const ONCE: &[ProblemKind] = &[ProblemKind::IdempotencyInFlight];

/// The kinds of problem that an endpoint can answer with.
pub trait Refuses: Send + Sync + 'static {
    /// The kinds, as lists, so that [`EVERY`] and [`BODY`] can stand among them.
    const KINDS: &'static [&'static [ProblemKind]];
}

/// The error type of an endpoint: a problem of one of the kinds that `R` lists. Whatever converts to a
/// [`Problem`] converts to it by `?`.
pub struct Refusal<R> {
    problem: Problem,
    of: PhantomData<fn() -> R>,
}

impl<R> Refusal<R> {
    /// The kind of the problem.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.problem.kind
    }
}

impl<R> fmt::Debug for Refusal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl<R: Refuses, E: Into<Problem>> From<E> for Refusal<R> {
    fn from(error: E) -> Self {
        let problem = error.into();
        debug_assert!(
            R::KINDS.iter().any(|kinds| kinds.contains(&problem.kind)),
            "the endpoint does not list the kind of problem that it answers with: {:?}",
            problem.kind
        );
        Self { problem, of: PhantomData }
    }
}

impl<R> From<Refusal<R>> for poem::Error {
    fn from(refusal: Refusal<R>) -> Self {
        refusal.problem.into()
    }
}

impl<R: Refuses> ApiResponse for Refusal<R> {
    fn meta() -> MetaResponses {
        // One answer a status: a second one would write the status twice into the document.
        let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
        for kind in R::KINDS.iter().copied().flatten() {
            let kinds = by_status.entry(kind.status().as_u16()).or_default();
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        MetaResponses { responses: by_status.into_values().filter_map(|kinds| meta(&kinds)).collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

/// One answer of the document: the kinds that share a status.
fn meta(kinds: &[ProblemKind]) -> Option<MetaResponse> {
    let first = kinds.first()?;
    let status = first.status();
    let description =
        if kinds.len() == 1 { first.title() } else { status.canonical_reason().unwrap_or_default() };
    let mut types = MetaSchema::new("string");
    types.enum_items = kinds.iter().map(|kind| kind.type_uri().into()).collect();
    let mut narrowed = MetaSchema::new("object");
    narrowed.properties = vec![("type", MetaSchemaRef::Inline(Box::new(types)))];
    let mut schema = MetaSchema::ANY;
    schema.all_of = vec![ProblemBody::schema_ref(), MetaSchemaRef::Inline(Box::new(narrowed))];
    schema.example = ProblemBody::example_of(*first).to_json();
    Some(MetaResponse {
        description,
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![MetaMediaType {
            content_type: MEDIA_TYPE,
            schema: MetaSchemaRef::Inline(Box::new(schema)),
        }],
        headers: headers(status.as_u16(), kinds),
    })
}

/// The headers that answers of a status and of these kinds bear.
fn headers(status: u16, kinds: &[ProblemKind]) -> Vec<MetaHeader> {
    let named = |name: &str, description: &str, schema: MetaSchemaRef| MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: true,
        deprecated: false,
        schema,
    };
    let retry_after = || named("Retry-After", "Seconds until another try makes sense.", u64::schema_ref());
    match status {
        401 => vec![named("WWW-Authenticate", "`Bearer` (RFC 6750).", String::schema_ref())],
        429 => vec![
            retry_after(),
            named("RateLimit", "What is left of the quota, and when it grows.", String::schema_ref()),
            named("RateLimit-Policy", "The quota and its window.", String::schema_ref()),
        ],
        503 => vec![retry_after()],
        409 if kinds.contains(&ProblemKind::IdempotencyInFlight) => {
            vec![MetaHeader { required: false, ..retry_after() }]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;
    impl Refuses for Two {
        const KINDS: &'static [&'static [ProblemKind]] = &[
            &[ProblemKind::Final, ProblemKind::CustomerIdTaken],
            &[ProblemKind::Final, ProblemKind::NotFound],
        ];
    }

    #[test]
    fn the_document_has_each_status_once() {
        let statuses: Vec<_> = Refusal::<Two>::meta().responses.iter().map(|meta| meta.status).collect();
        assert_eq!(statuses, [Some(404), Some(409)]);
    }

    #[test]
    #[should_panic(expected = "does not list the kind")]
    fn a_kind_that_is_not_listed_is_noticed() {
        drop(Refusal::<Two>::from(Problem::new(ProblemKind::Internal)));
    }
}
