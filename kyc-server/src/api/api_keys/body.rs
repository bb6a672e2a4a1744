//! An API key in JSON.

use kyc_core::Secret;
use kyc_core::domain::api_key::{ApiKey, ApiKeyForm};
use kyc_core::domain::permission::Role;
use kyc_core::usecase::CreatedApiKey;
use poem_openapi::Object;
use poem_openapi::types::Example;

use crate::api::body::{Fields, FromFields};
use crate::api::values::{Time, Word};

/// An API key to make.
#[derive(Debug, Object)]
#[oai(rename = "NewApiKey", example, skip_serializing_if_is_none)]
pub(super) struct CreateApiKeyBody {
    /// What it is called: 1 to 64 of `A-Za-z0-9._@-`.
    #[oai(validator(max_length = 64, pattern = "^[A-Za-z0-9._@-]+$"))]
    name: String,
    /// What it may do.
    role: Word<Role>,
    /// The person or system behind it; the name where it is left out. Where two have to agree, subjects count
    /// and not keys.
    #[oai(nullable, validator(max_length = 64, pattern = "^[A-Za-z0-9._@-]+$"))]
    subject: Option<String>,
    /// When it ends by itself.
    #[oai(nullable)]
    expires_at: Option<Time>,
    /// The addresses from which it is valid, such as `10.0.0.0/8`; from all where there is none.
    #[oai(nullable, validator(max_items = 32))]
    allowed_addresses: Option<Vec<String>>,
}

/// An API key that was made.
#[derive(Debug, Object)]
#[oai(rename = "CreatedApiKey")]
pub(in crate::api) struct CreatedApiKeyBody {
    /// The key.
    #[oai(flatten)]
    api_key: ApiKeyBody,
    /// The secret, this once: what `Authorization: Bearer` takes. Null in an answer that is repeated.
    #[oai(nullable)]
    key: Option<String>,
}

/// An API key without its secret.
#[derive(Debug, Object)]
#[oai(rename = "ApiKey")]
pub(super) struct ApiKeyBody {
    /// Its id.
    id: String,
    /// What it is called.
    name: String,
    /// The person or system behind it.
    subject: String,
    /// What it may do.
    role: Word<Role>,
    /// The addresses from which it is valid; from all where there is none.
    allowed_addresses: Vec<String>,
    /// When it was made.
    created_at: Time,
    /// When it ends by itself.
    #[oai(nullable)]
    expires_at: Option<Time>,
    /// When it was revoked.
    #[oai(nullable)]
    revoked_at: Option<Time>,
    /// When it was last used, to the minute or so.
    #[oai(nullable)]
    last_used_at: Option<Time>,
}

/// API keys.
#[derive(Debug, Object)]
#[oai(rename = "ApiKeyList")]
pub(super) struct ApiKeyListBody {
    /// The keys, newest first.
    pub(super) items: Vec<ApiKeyBody>,
}

impl FromFields for CreateApiKeyBody {
    type Value = ApiKeyForm;

    fn from_fields(fields: &mut Fields<'_>) -> ApiKeyForm {
        let plain = |text: Secret<String>| text.expose().clone();
        ApiKeyForm {
            name: fields.text("name").map(plain),
            role: fields.text("role").map(plain),
            subject: fields.text("subject").map(plain),
            expires_at: fields.text("expires_at").map(plain),
            allowed_addresses: fields
                .texts("allowed_addresses")
                .map(|ranges| ranges.into_iter().map(plain).collect()),
        }
    }
}

impl Example for CreateApiKeyBody {
    fn example() -> Self {
        Self {
            name: "onboarding-app".to_owned(),
            role: Word(Role::Client),
            subject: None,
            expires_at: None,
            allowed_addresses: None,
        }
    }
}

impl From<&CreatedApiKey> for CreatedApiKeyBody {
    fn from(created: &CreatedApiKey) -> Self {
        Self { key: Some(created.secret.expose().expose().clone()), ..(&created.key).into() }
    }
}

impl From<&ApiKey> for CreatedApiKeyBody {
    fn from(key: &ApiKey) -> Self {
        Self { api_key: key.into(), key: None }
    }
}

impl From<&ApiKey> for ApiKeyBody {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            subject: key.subject.to_string(),
            role: Word(key.role),
            allowed_addresses: key.allowed_addresses.iter().map(ToString::to_string).collect(),
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            revoked_at: key.revoked_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
        }
    }
}
