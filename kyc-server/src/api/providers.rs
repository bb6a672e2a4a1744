//! `GET /providers`: how the identity providers fare.

mod body;

use kyc_core::Kyc;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use self::body::ProviderListBody;
use super::Tag;
use super::auth::Authenticated;
use super::problem::{self, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// The endpoint of [`providers`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ProvidersApi;

/// What `GET /providers` refuses with.
#[derive(Debug)]
struct ProvidersRefuses;
impl Refuses for ProvidersRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

#[expect(clippy::unused_async, reason = "poem-openapi takes async functions only")]
#[OpenApi(tag = "Tag::Service")]
impl ProvidersApi {
    /// How do the identity providers fare?
    ///
    /// In order of preference, as far as the process that answers knows since it started. A provider that is down
    /// is asked no more for a while: verifications that nobody was told of go to the next one, and the others wait.
    #[oai(path = "/providers", method = "get", operation_id = "listProviders")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        _parameters: NoParameters,
    ) -> Result<Json<ProviderListBody>, Refusal<ProvidersRefuses>> {
        Ok(Json(kyc.providers(&actor.0)?.into()))
    }
}
