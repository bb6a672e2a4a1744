//! Who asks: `Authorization: Bearer <api key>` becomes an [`Actor`].

mod bootstrap;
mod keys;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use kyc_core::Secret;
use kyc_core::domain::actor::{Actor, RequestId};
use poem::{Addr, Request, Result};
use poem_openapi::SecurityScheme;
use poem_openapi::auth::Bearer;

pub use self::bootstrap::BootstrapKey;
pub use self::keys::Keys;
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
    let (Some(keys), Some(limiter), Some(id)) = (
        request.data::<Arc<dyn Authenticate>>(),
        request.data::<Arc<Limiter>>(),
        request.data::<RequestId>(),
    ) else {
        tracing::error!("a request came without the means to authenticate it: the wiring is incomplete");
        return Err(Problem::new(ProblemKind::Internal).into());
    };
    let address = address(request);
    match keys.authenticate(&presented, address).await {
        Ok(actor) => {
            limiter.admit(&actor)?;
            Ok(actor.within(id.clone()))
        }
        Err(NotAuthenticated::Unknown) => {
            tracing::warn!("a sign-in was refused: no such key is valid");
            Err(limiter.refused_sign_in(address).into())
        }
        Err(NotAuthenticated::Unavailable) => Err(Problem::new(ProblemKind::Unavailable).into()),
    }
}

/// The address of the other end of the connection. No header of the request can change it.
fn address(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip().to_canonical()),
        Addr::Unix(_) | Addr::Custom(..) => None,
    }
}
