//! What the adapter is told at its start.

use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;
use ureq::http::HeaderValue;

use super::super::base::{Base, ConfigError};
use super::super::exchange::Bounds;
use super::super::vendor::{CallbackKeys, authorization};

/// Where Onfido keeps and works on the data of an account. A token is of one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// The European Union.
    Eu,
    /// The United States.
    Us,
    /// Canada.
    Ca,
}

impl Region {
    /// Reads `eu`, `us` or `ca`; none where it is another word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "eu" => Some(Self::Eu),
            "us" => Some(Self::Us),
            "ca" => Some(Self::Ca),
            _ => None,
        }
    }

    /// The base address of version 3.6 of the API in the region.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Eu => "https://api.eu.onfido.com/v3.6",
            Self::Us => "https://api.us.onfido.com/v3.6",
            Self::Ca => "https://api.ca.onfido.com/v3.6",
        }
    }
}

/// The settings of an [`OnfidoProvider`](super::OnfidoProvider), which checks them when it is made.
#[derive(Debug, Clone)]
pub struct OnfidoConfig {
    /// The name by which settings, verifications and reports know the provider.
    pub name: ProviderName,
    /// The API token of the account.
    pub token: Secret<String>,
    /// The region of the account.
    pub region: Region,
    /// Another address than the region's, up to and with `/v3.6`: a proxy of the operator's, or a test's.
    pub base_url: Option<String>,
    /// The tokens of the account's webhook: one, or two while it is replaced. Without one callbacks are refused, and
    /// results come by polling alone.
    pub webhook_tokens: Vec<Secret<String>>,
    /// The most time that one step may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// The most bytes of an answer that are read.
    pub max_body: usize,
    /// Whether plain HTTP is taken to other hosts than loopback. Personal data then crosses the network in
    /// the clear, so this is for a network that is closed by other means.
    pub allow_insecure_http: bool,
}

/// What was checked of the settings.
pub(super) struct Checked {
    pub(super) base: Base,
    pub(super) bounds: Bounds,
    /// The header `Authorization`.
    pub(super) authorization: HeaderValue,
    pub(super) webhook_tokens: CallbackKeys,
}

impl OnfidoConfig {
    /// The time that one step may take, where it is not set.
    pub const DEFAULT_TIMEOUT: Duration = Bounds::DEFAULT_TIMEOUT;
    /// The most time that can be set: a shutdown waits for a step, and has ten seconds.
    pub const MAX_TIMEOUT: Duration = Bounds::MAX_TIMEOUT;
    /// The most bytes of an answer, by default and at all: what the core keeps of it.
    pub const MAX_BODY: usize = Bounds::MAX_BODY;

    /// Settings with the defaults, without callbacks.
    #[must_use]
    pub const fn new(name: ProviderName, token: Secret<String>, region: Region) -> Self {
        Self {
            name,
            token,
            region,
            base_url: None,
            webhook_tokens: Vec::new(),
            timeout: Self::DEFAULT_TIMEOUT,
            max_body: Self::MAX_BODY,
            allow_insecure_http: false,
        }
    }

    pub(super) fn check(&self) -> Result<Checked, ConfigError> {
        let bounds = Bounds { timeout: self.timeout, max_body: self.max_body };
        bounds.check()?;
        let url = self.base_url.as_deref().unwrap_or(self.region.base_url());
        let base = Base::parse(url, self.allow_insecure_http)?;
        let webhook_tokens = CallbackKeys::new(&self.webhook_tokens)?;
        Ok(Checked {
            base,
            bounds,
            authorization: authorization("Token token=", &self.token)?,
            webhook_tokens,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> OnfidoConfig {
        OnfidoConfig::new(ProviderName::parse("onfido").unwrap(), "api_test.abc".into(), Region::Eu)
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut OnfidoConfig), expected: ConfigError) {
        let mut config = config();
        change(&mut config);
        assert_eq!(config.check().map(|_| ()), Err(expected));
    }

    #[test]
    fn a_region_has_its_address_unless_another_is_set() {
        for (word, host) in [("eu", "api.eu."), ("us", "api.us."), ("ca", "api.ca.")] {
            let mut config = OnfidoConfig { region: Region::parse(word).unwrap(), ..config() };
            let base = config.check().unwrap().base;
            assert_eq!((base.origin, base.path), (format!("https://{host}onfido.com"), "/v3.6".to_owned()));
            config.base_url = Some("http://127.0.0.1:4010".to_owned());
            assert_eq!(config.check().unwrap().base.origin, "http://127.0.0.1:4010");
        }
        assert_eq!(Region::parse("EU"), None);
        assert_eq!(Region::parse(""), None);
    }

    #[test]
    fn each_setting_out_of_bounds_is_named() {
        refused(|c| c.token = "".into(), ConfigError::Token);
        refused(|c| c.token = "a b".into(), ConfigError::Token);
        refused(|c| c.token = "a\r\nX: y".into(), ConfigError::Token);
        refused(|c| c.token = "x".repeat(513).into(), ConfigError::Token);
        refused(|c| c.base_url = Some("http://10.0.0.1".into()), ConfigError::InsecureBaseUrl);
        refused(|c| c.base_url = Some("here".into()), ConfigError::BaseUrl);
        refused(|c| c.timeout = Duration::from_secs(9), ConfigError::Timeout);
        refused(|c| c.max_body = 0, ConfigError::MaxBody);
        refused(|c| c.webhook_tokens = vec!["short".into()], ConfigError::CallbackSecrets);
        let token: Secret<String> = "wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh".into();
        refused(|c| c.webhook_tokens = vec![token.clone(); 3], ConfigError::CallbackSecrets);
    }

    #[test]
    fn neither_token_is_shown() {
        let mut config = config();
        config.webhook_tokens = vec!["wU99mE6jJ7nXOLFwZ0tJymM1lpI15pZh".into()];
        let text = format!("{config:?} {:?}", config.check().unwrap().authorization);
        assert!(!text.contains("api_test") && !text.contains("wU99"), "{text}");
    }
}
