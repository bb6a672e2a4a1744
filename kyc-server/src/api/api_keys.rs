//! `/api-keys`: made, listed and revoked by an admin.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::ids::ApiKeyId;
use kyc_core::usecase::CreateApiKey;
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use self::body::{ApiKeyListBody, CreateApiKeyBody, CreatedApiKeyBody};
use super::Tag;
use super::auth::Authenticated;
use super::body::JsonBody;
use super::problem::{self, Problem, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// The endpoints of [`api_keys`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ApiKeysApi;

/// A key that was made.
#[derive(Debug, ApiResponse)]
enum Created {
    /// The key is valid from now on. Its secret is shown here and never again.
    #[oai(status = 201)]
    Created(Json<CreatedApiKeyBody>),
}

/// A key that was revoked.
#[derive(Debug, ApiResponse)]
enum Revoked {
    /// The key is dead from the next request on.
    #[oai(status = 204)]
    Revoked,
}

/// What the making of a key refuses with.
#[derive(Debug)]
struct CreateRefuses;
impl Refuses for CreateRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY, problem::BODY];
}

/// What the list of keys refuses with.
#[derive(Debug)]
struct ListRefuses;
impl Refuses for ListRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY];
}

/// What the revoking of a key refuses with.
#[derive(Debug)]
struct RevokeRefuses;
impl Refuses for RevokeRefuses {
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY, &[ProblemKind::NotFound]];
}

#[OpenApi(tag = "Tag::Access")]
impl ApiKeysApi {
    /// Make an API key
    ///
    /// The secret is in the answer and nowhere else: only its SHA-256 is kept.
    #[oai(path = "/api-keys", method = "post", operation_id = "createApiKey")]
    async fn create(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        body: JsonBody<CreateApiKeyBody>,
    ) -> Result<Created, Refusal<CreateRefuses>> {
        let JsonBody { value: form, faults } = body;
        let created = kyc.create_api_key(&actor.0, CreateApiKey { form, faults }).await?;
        Ok(Created::Created(Json(created.into())))
    }

    /// List the API keys
    ///
    /// All of them, also those that have ended, newest first; without their secrets.
    #[oai(path = "/api-keys", method = "get", operation_id = "listApiKeys")]
    async fn list(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        _parameters: NoParameters,
    ) -> Result<Json<ApiKeyListBody>, Refusal<ListRefuses>> {
        let keys = kyc.api_keys(&actor.0).await?;
        Ok(Json(ApiKeyListBody { items: keys.iter().map(Into::into).collect() }))
    }

    /// Revoke an API key
    ///
    /// It is dead at the next request.
    #[oai(path = "/api-keys/:id", method = "delete", operation_id = "revokeApiKey")]
    async fn revoke(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// The key's id.
        id: Path<String>,
        _parameters: NoParameters,
    ) -> Result<Revoked, Refusal<RevokeRefuses>> {
        // Who may not manage keys is told so, whatever the id looks like.
        actor.0.require(kyc_core::domain::permission::Permission::ManageKeys)?;
        let id = ApiKeyId::parse(&id).map_err(|_| Problem::new(ProblemKind::NotFound))?;
        kyc.revoke_api_key(&actor.0, id).await?;
        Ok(Revoked::Revoked)
    }
}
