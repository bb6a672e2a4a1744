//! `/api-keys`: made, listed and revoked by an admin.

mod body;

use kyc_core::Kyc;
use kyc_core::domain::api_key::ApiKey;
use kyc_core::domain::ids::ApiKeyId;
use kyc_core::domain::permission::Permission;
use kyc_core::usecase::{CreateApiKey, CreatedApiKey};
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use self::body::{ApiKeyListBody, CreateApiKeyBody, CreatedApiKeyBody};
use super::Tag;
use super::auth::Authenticated;
use super::body::JsonBody;
use super::once::{Once, Replayable};
use super::problem::{self, Problem, ProblemKind, Refusal, Refuses};
use super::query::NoParameters;

/// The endpoints of [`api_keys`](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct ApiKeysApi;

/// A key that was made.
#[derive(Debug, ApiResponse)]
pub(super) enum Created {
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
    const KINDS: &'static [&'static [ProblemKind]] = &[problem::EVERY, problem::BODY, problem::ONCE];
}

impl From<&CreatedApiKey> for Created {
    fn from(created: &CreatedApiKey) -> Self {
        Self::Created(Json(created.into()))
    }
}

/// The answer of a replay.
impl From<&ApiKey> for Created {
    fn from(key: &ApiKey) -> Self {
        Self::Created(Json(key.into()))
    }
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
    /// The secret is in the answer and nowhere else: only its SHA-256 is kept. Where the answer is repeated for
    /// its `Idempotency-Key`, `key` is null.
    #[oai(path = "/api-keys", method = "post", operation_id = "createApiKey")]
    async fn create(
        &self,
        Data(kyc): Data<&Kyc>,
        actor: Authenticated,
        /// A name of your own for this request, such as a UUID, quoted or bare. When the request is sent again
        /// under it within 24 hours, the first answer is repeated, and nothing is done twice.
        #[oai(name = "Idempotency-Key")]
        once: Once,
        body: JsonBody<CreateApiKeyBody>,
    ) -> Result<Replayable<Created>, Refusal<CreateRefuses>> {
        let (once, form, faults) = once.with(body);
        let (actor, request) = (&actor.0, CreateApiKey { form, faults });
        let done = once.run(kyc, actor, Permission::ManageKeys, |kyc| async move {
            kyc.create_api_key(actor, request).await
        });
        Ok(done.await?)
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
        actor.0.require(Permission::ManageKeys)?;
        let id = ApiKeyId::parse(&id).map_err(|_| Problem::new(ProblemKind::NotFound))?;
        kyc.revoke_api_key(&actor.0, id).await?;
        Ok(Revoked::Revoked)
    }
}
