//! The identity providers that the settings name, in their order.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::Arc;

use kyc_adapters::provider::{
    Capped, Caps, ConfigError, HttpProvider, HttpProviderConfig, OnfidoConfig, OnfidoProvider, PersonaConfig,
    PersonaProvider, Region, SigningKeys,
};
use kyc_adapters::sandbox::Sandbox;
use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;
use kyc_core::ports::{Clock, Entropy, IdentityProvider};
use kyc_core::usecase::Providers;

use super::WireError;
use crate::config::{Config, ONFIDO, OnfidoPlace, Persona, Provider, SANDBOX};

/// An adapter for each provider, in order of preference.
pub(super) async fn providers(
    config: &Config,
    entropy: &dyn Entropy,
    clock: &Arc<dyn Clock>,
) -> Result<Providers, WireError> {
    let mut adapters = Vec::new();
    for provider in &config.providers {
        let (adapter, caps) = (adapter(provider, entropy, clock).await?, caps(provider, config));
        adapters.push(if caps.is_none() {
            adapter
        } else {
            Arc::new(Capped::new(adapter, caps, Arc::clone(clock))) as _
        });
    }
    let mut adapters = adapters.into_iter();
    let first = adapters.next().ok_or(WireError::NoProvider)?;
    Ok(Providers::in_order(first, adapters.collect()))
}

/// What a provider is asked at most, where nothing else is set: an arm a kind. A step may be two requests, so that
/// the rate of a vendor is half of the requests that it allows.
fn caps(provider: &Provider, config: &Config) -> Caps {
    let per_minute = match provider {
        // It says so itself, with a 429, where it is asked too much.
        Provider::Http { .. } | Provider::Sandbox => 0,
        // 400 requests a minute, by the vendor's documentation.
        Provider::Onfido(_) => 200,
        // 300 requests a minute.
        Provider::Persona(_) => 150,
    };
    Caps {
        concurrency: NonZeroU32::new(config.provider_concurrency),
        per_minute: NonZeroU32::new(config.provider_rate_per_minute.unwrap_or(per_minute)),
        ..Caps::default()
    }
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
        Provider::Onfido(settings) => {
            let (region, url) = match &settings.place {
                OnfidoPlace::Eu => (Region::Eu, None),
                OnfidoPlace::Us => (Region::Us, None),
                OnfidoPlace::Ca => (Region::Ca, None),
                // The address stands in the region's place, so that the region says nothing.
                OnfidoPlace::At(url) => (Region::Eu, Some(url.clone())),
            };
            let mut config = OnfidoConfig::new(ProviderName::parse(ONFIDO)?, settings.token.clone(), region);
            config.base_url = url;
            config.webhook_tokens.clone_from(&settings.webhook_tokens);
            Ok(Arc::new(OnfidoProvider::new(&config, Arc::clone(clock))?))
        }
        Provider::Persona(persona) => Ok(Arc::new(self::persona(persona, clock)?)),
        Provider::Sandbox => sandbox(entropy, clock).await,
    }
}

fn persona(persona: &Persona, clock: &Arc<dyn Clock>) -> Result<PersonaProvider, ConfigError> {
    let Persona { name, key, template, url, webhook_secrets } = persona.clone();
    let config = PersonaConfig { base_url: url, webhook_secrets, ..PersonaConfig::new(name, key, template) };
    PersonaProvider::new(&config, Arc::clone(clock))
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
