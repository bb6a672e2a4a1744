//! `GET /whoami`: who the API key says one is.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use crate::api::Tag;
use crate::api::auth::Authenticated;
use crate::api::problem::{self, ProblemKind, Refusal, Refuses};
use crate::api::query::NoParameters;

/// The endpoint of [`whoami`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct WhoamiApi;

/// Whoever is behind an API key.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Whoami {
    /// The name of the key.
    pub name: String,
    /// The person or system behind the key.
    pub subject: String,
    /// What the key may do.
    pub role: String,
}

/// What `GET /whoami` refuses with.
#[derive(Debug, Clone, Copy)]
pub struct WhoamiRefuses;

impl Refuses for WhoamiRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi(tag = "Tag::Service")]
impl WhoamiApi {
    /// Who am I?
    ///
    /// Says whose key the request bears, and what it may do.
    #[oai(path = "/whoami", method = "get", operation_id = "whoami")]
    async fn whoami(
        &self,
        actor: Authenticated,
        _parameters: NoParameters,
    ) -> Result<Json<Whoami>, Refusal<WhoamiRefuses>> {
        let Authenticated(actor) = actor;
        Ok(Json(Whoami {
            name: actor.name().to_owned(),
            subject: actor.subject().to_owned(),
            role: actor.role().to_owned(),
        }))
    }
}
