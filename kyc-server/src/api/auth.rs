//! Who asks: `Authorization: Bearer <api key>` becomes an [`Actor`].

mod bootstrap;
mod keys;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use kyc_core::Secret;
use kyc_core::domain::actor::{Actor, RequestId};
use poem::{Request, Result};
use poem_openapi::SecurityScheme;
use poem_openapi::auth::Bearer;

pub use self::bootstrap::BootstrapKey;
pub use self::keys::Keys;
use super::client::{ClientAddress, Excused};
use super::limits::Limiter;
use super::problem::{Problem, ProblemKind};

/// An API key of this service.
#[derive(Debug, SecurityScheme)]
#[oai(rename = "api_key", ty = "bearer", checker = "authenticate")]
pub struct Authenticated(pub Actor);

/// Whoever knows which keys are valid. It stands in the data of every request as `Arc<dyn Authenticate>`.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// The actor behind a key that comes from an address.
    ///
    /// # Errors
    /// [`NotAuthenticated`] where there is none, or where it can't be known now.
    async fn authenticate(
        &self,
        presented: &Secret<String>,
        address: Option<IpAddr>,
    ) -> Result<Actor, NotAuthenticated>;
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
    let (Some(keys), Some(limiter), Some(id), Some(ClientAddress(address))) = (
        request.data::<Arc<dyn Authenticate>>(),
        request.data::<Arc<Limiter>>(),
        request.data::<RequestId>(),
        request.data::<ClientAddress>(),
    ) else {
        tracing::error!("a request came without the means to authenticate it: the wiring is incomplete");
        return Err(Problem::new(ProblemKind::Internal).into());
    };
    let excuse = || request.data::<Excused>().into_iter().for_each(Excused::excuse);
    match keys.authenticate(&presented, *address).await {
        Ok(actor) => {
            excuse();
            limiter.admit(&actor)?;
            Ok(actor.within(id.clone()))
        }
        Err(NotAuthenticated::Unknown) => {
            // The address is that of a system, and all that there is to find an attacker by.
            let from = address.map(tracing::field::display);
            tracing::warn!(address = from, "a sign-in was refused: no such key is valid");
            Err(limiter.refused_sign_in(*address).into())
        }
        Err(NotAuthenticated::Unavailable) => {
            // The key may well be valid.
            excuse();
            Err(Problem::new(ProblemKind::Unavailable).into())
        }
    }
}
