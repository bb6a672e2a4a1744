//! The identity providers that the settings name, in their order.

use std::net::Ipv4Addr;
use std::sync::Arc;

use kyc_adapters::provider::{HttpProvider, HttpProviderConfig, SigningKeys};
use kyc_adapters::sandbox::Sandbox;
use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;
use kyc_core::ports::{Clock, Entropy, IdentityProvider};
use kyc_core::usecase::Providers;

use super::WireError;
use crate::config::{Provider, SANDBOX};

/// An adapter for each provider, in order of preference.
pub(super) async fn providers(
    named: &[Provider],
    entropy: &dyn Entropy,
    clock: &Arc<dyn Clock>,
) -> Result<Providers, WireError> {
    let [first, others @ ..] = named else { return Err(WireError::NoProvider) };
    let first = adapter(first, entropy, clock).await?;
    let mut rest = Vec::new();
    for other in others {
        rest.push(adapter(other, entropy, clock).await?);
    }
    Ok(Providers::in_order(first, rest))
}

/// The adapter of one provider: an arm a kind.
async fn adapter(
    provider: &Provider,
    entropy: &dyn Entropy,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn IdentityProvider>, WireError> {
    match provider {
        Provider::Http { name, url, secrets } => {
            let config = HttpProviderConfig::new(name.clone(), url, SigningKeys::new(secrets)?);
            Ok(Arc::new(HttpProvider::new(&config, Arc::clone(clock))?))
        }
        Provider::Sandbox => sandbox(entropy, clock).await,
    }
}

/// The sandbox, which serves beside us and is reached as any other provider.
async fn sandbox(
    entropy: &dyn Entropy,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn IdentityProvider>, WireError> {
    let mut secret = vec![0; 32];
    entropy.fill(&mut secret)?;
    let keys = SigningKeys::new(&[Secret::new(secret)])?;
    let sandbox = Sandbox::bind((Ipv4Addr::LOCALHOST, 0), keys.clone(), Arc::clone(clock)).await;
    let sandbox = sandbox.map_err(WireError::Sandbox)?;
    let url = format!("http://{}", sandbox.local_addr());
    tracing::warn!(%url, "the sandbox is the provider: it verifies nobody's identity");
    tokio::spawn(async move { sandbox.serve(std::future::pending()).await });
    let config = HttpProviderConfig::new(ProviderName::parse(SANDBOX)?, &url, keys);
    Ok(Arc::new(HttpProvider::new(&config, Arc::clone(clock))?))
}
