//! Who asks: `Authorization: Bearer <api key>` becomes an [`Actor`].

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use kyc_core::Secret;
use kyc_core::domain::actor::{Actor, RequestId};
use kyc_core::domain::fault::Invalid;
use kyc_core::ports::Entropy;
use kyc_core::ports::entropy::NoEntropy;
use poem::{Request, Result};
use poem_openapi::SecurityScheme;
use poem_openapi::auth::Bearer;
use ring::{digest, hmac};
use zeroize::Zeroizing;

use crate::api::problem::{Problem, ProblemKind};

/// An API key of this service.
#[derive(Debug, SecurityScheme)]
#[oai(rename = "api_key", ty = "bearer", checker = "authenticate")]
pub struct Authenticated(pub Actor);

/// Whoever knows which keys are valid. It stands in the data of every request as `Arc<dyn Authenticate>`.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// The actor behind a key.
    ///
    /// # Errors
    /// [`NotAuthenticated`] where there is none, or where it can't be known now.
    async fn authenticate(&self, presented: &Secret<String>) -> Result<Actor, NotAuthenticated>;
}

/// Why a key names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAuthenticated {
    /// No such key is valid now.
    #[error("no such key is valid")]
    Unknown,
    /// Keys can't be looked up now.
    #[error("keys can't be looked up now")]
    Unavailable,
}

async fn authenticate(request: &Request, bearer: Bearer) -> Result<Actor> {
    let presented = Secret::new(bearer.token);
    let (Some(keys), Some(id)) = (request.data::<Arc<dyn Authenticate>>(), request.data::<RequestId>())
    else {
        tracing::error!("a request came without the means to authenticate it: the wiring is incomplete");
        return Err(Problem::new(ProblemKind::Internal).into());
    };
    match keys.authenticate(&presented).await {
        Ok(actor) => Ok(actor.within(id.clone())),
        Err(NotAuthenticated::Unknown) => {
            tracing::warn!("a sign-in was refused: no such key is valid");
            Err(Problem::new(ProblemKind::Unauthorized).into())
        }
        Err(NotAuthenticated::Unavailable) => Err(Problem::new(ProblemKind::Unavailable).into()),
    }
}

/// The operator's own key, of which only a code is kept: an HMAC under its SHA-256, since `ring` compares
/// codes in constant time and offers nothing of the kind for plain digests.
pub struct BootstrapKey {
    code: hmac::Tag,
    actor: Actor,
}

const PURPOSE: &[u8] = b"kyc bootstrap key";

fn code_key(key: &Secret<String>) -> hmac::Key {
    let digest = digest::digest(&digest::SHA256, key.expose().as_bytes());
    hmac::Key::new(hmac::HMAC_SHA256, digest.as_ref())
}

impl BootstrapKey {
    /// Takes the key that the operator chose, who acts by `name`.
    ///
    /// # Errors
    /// `actor.invalid` for the name.
    pub fn new(key: &Secret<String>, name: &str) -> Result<Self, Invalid> {
        Ok(Self { code: hmac::sign(&code_key(key), PURPOSE), actor: Actor::admin(name)? })
    }

    /// A new random key of 256 bits, for an operator who has not chosen one.
    ///
    /// # Errors
    /// [`NoEntropy`] where there is no randomness.
    pub fn generate(entropy: &dyn Entropy) -> Result<Secret<String>, NoEntropy> {
        let mut random = Zeroizing::new([0; 32]);
        entropy.fill(&mut *random)?;
        Ok(Secret::new(BASE64URL_NOPAD.encode(&*random)))
    }
}

impl fmt::Debug for BootstrapKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootstrapKey(redacted)")
    }
}

#[async_trait]
impl Authenticate for BootstrapKey {
    async fn authenticate(&self, presented: &Secret<String>) -> Result<Actor, NotAuthenticated> {
        hmac::verify(&code_key(presented), PURPOSE, self.code.as_ref())
            .map(|()| self.actor.clone())
            .map_err(|_| NotAuthenticated::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_key_itself_is_the_key() {
        let key = Secret::new("0123456789abcdef0123456789abcdef".to_owned());
        let keys = BootstrapKey::new(&key, "bootstrap").unwrap();
        assert_eq!(keys.authenticate(&key).await.unwrap().name(), "bootstrap");
        for other in ["", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcde"] {
            let other = Secret::new(other.to_owned());
            assert_eq!(keys.authenticate(&other).await, Err(NotAuthenticated::Unknown));
        }
        let padded = Secret::new(format!("{}\0", key.expose()));
        assert_eq!(keys.authenticate(&padded).await, Err(NotAuthenticated::Unknown));
    }
}
