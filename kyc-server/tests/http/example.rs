//! A small API that uses everything that the real one is made of.

use std::sync::Arc;

use kyc_core::Secret;
use kyc_core::domain::customer::Patch;
use kyc_core::domain::fault::Faults;
use kyc_server::api::auth::Authenticated;
use kyc_server::api::body::{Fields, FromFields, JsonBody};
use kyc_server::api::problem::{self, Problem, ProblemKind, Refusal, Refuses};
use kyc_server::api::query::{Lenient, NoParameters, refuse_unknown};
use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Json, PlainText};
use poem_openapi::{ApiResponse, Object, OpenApi};
use tokio::sync::Notify;

/// The length of an answer that no buffer of a socket holds.
pub(crate) const LONG: usize = 64 * 1024 * 1024;

/// A greeting.
#[derive(Object)]
struct GreetBody {
    /// Whom to greet.
    name: String,
    /// What to call them.
    nickname: Option<String>,
    /// How often.
    times: Option<i32>,
}

impl FromFields for GreetBody {
    type Value = (Option<Secret<String>>, Patch<Secret<String>>, Option<i64>);

    fn from_fields(fields: &mut Fields<'_>) -> Self::Value {
        (fields.text("name"), fields.patch_text("nickname"), fields.integer("times"))
    }
}

#[derive(Object)]
struct Greeting {
    length: usize,
}

#[derive(ApiResponse)]
enum Greeted {
    /// The person was greeted.
    #[oai(status = 201)]
    Created(
        Json<Greeting>,
        /// Where the greeting is.
        #[oai(header = "Location")]
        String,
    ),
}

struct GreetRefuses;
impl Refuses for GreetRefuses {
    const KINDS: &'static [&'static [ProblemKind]] =
        &[problem::EVERY, problem::BODY, &[ProblemKind::CustomerIdTaken, ProblemKind::Final]];
}

struct ReadRefuses;
impl Refuses for ReadRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY, &[ProblemKind::NotFound]];
}

/// The example.
pub(crate) struct ExampleApi {
    /// Told when a request to `/greetings/wait` has begun.
    pub(crate) begun: Arc<Notify>,
    /// What that request waits for.
    pub(crate) go_on: Arc<Notify>,
}

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi]
impl ExampleApi {
    #[oai(path = "/greetings", method = "post", operation_id = "greet")]
    async fn greet(
        &self,
        _actor: Authenticated,
        body: JsonBody<GreetBody>,
    ) -> Result<Greeted, Refusal<GreetRefuses>> {
        let JsonBody { value: (name, _, _), mut faults, .. } = body;
        if name.is_none() {
            faults.add("/name", "field.required", "this field is required");
        }
        let name = match name {
            Some(name) if faults.is_empty() => name,
            _ => return Err(faults.into()),
        };
        if name.expose() == "Taken" {
            Err(Problem::new(ProblemKind::CustomerIdTaken))?;
        }
        Ok(Greeted::Created(Json(Greeting { length: name.expose().len() }), "/greetings/1".to_owned()))
    }

    #[oai(path = "/greetings/:id", method = "get")]
    async fn read(
        &self,
        id: Path<String>,
        _none: NoParameters,
    ) -> Result<Json<Greeting>, Refusal<ReadRefuses>> {
        match id.0.as_str() {
            "1" => Ok(Json(Greeting { length: 3 })),
            "panic" => panic!("Ada Lovelace"),
            "wait" => {
                self.begun.notify_one();
                self.go_on.notified().await;
                Ok(Json(Greeting { length: 4 }))
            }
            _ => Err(Problem::new(ProblemKind::NotFound))?,
        }
    }

    #[oai(path = "/greetings/:id", method = "delete")]
    async fn delete(&self, id: Path<String>) {
        drop(id);
    }

    #[oai(path = "/long", method = "get")]
    async fn long(&self) -> PlainText<String> {
        PlainText("x".repeat(LONG))
    }

    #[oai(path = "/health/live", method = "get")]
    async fn live(&self) -> PlainText<String> {
        PlainText("alive".to_owned())
    }

    #[oai(path = "/report", method = "get")]
    async fn report(
        &self,
        request: &Request,
        start: Query<Lenient<u8>>,
        end: Query<Lenient<u8>>,
    ) -> Result<Json<u8>, Refusal<ReadRefuses>> {
        let mut faults = Faults::new();
        let start = start.0.required("start", "a number is expected", &mut faults);
        let end = end.0.required("end", "a number is expected", &mut faults);
        refuse_unknown(request, &["start", "end"], &mut faults);
        match (start, end) {
            (Some(start), Some(end)) if faults.is_empty() => Ok(Json(end - start)),
            _ => Err(faults)?,
        }
    }
}
