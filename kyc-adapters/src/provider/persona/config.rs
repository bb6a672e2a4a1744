//! What the adapter is told at its start.

use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::ids::ProviderName;
use ureq::http::HeaderValue;

use super::super::base::{Base, ConfigError};
use super::super::exchange::Bounds;
use super::super::vendor::{CallbackKeys, authorization};

/// The base address of the API; the version goes in a header.
const BASE_URL: &str = "https://api.withpersona.com/api/v1";

/// The settings of a [`PersonaProvider`](super::PersonaProvider), which checks them when it is made.
#[derive(Debug, Clone)]
pub struct PersonaConfig {
    /// The name by which settings, verifications and reports know the provider.
    pub name: ProviderName,
    /// The API key of the environment.
    pub key: Secret<String>,
    /// The template of inquiries: `itmpl_…`, a version of one (`itmplv_…`), or an older one (`tmpl_…`).
    pub template: String,
    /// Another address than the vendor's, up to and with `/api/v1`: a proxy of the operator's, or a test's.
    pub base_url: Option<String>,
    /// The secrets of the webhook: one, or two while it is rotated. Without one callbacks are refused, and results
    /// come by polling alone.
    pub webhook_secrets: Vec<Secret<String>>,
    /// The most time that one step may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// The most bytes of an answer that are read.
    pub max_body: usize,
    /// Whether plain HTTP is taken to other hosts than loopback. Personal data then crosses the network in
    /// the clear, so this is for a network that is closed by other means.
    pub allow_insecure_http: bool,
}

/// A template, and the member of a body that names it: a kind of template each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) member: &'static str,
    pub(super) id: String,
}

/// What was checked of the settings.
pub(super) struct Checked {
    pub(super) base: Base,
    pub(super) bounds: Bounds,
    /// The header `Authorization`.
    pub(super) authorization: HeaderValue,
    pub(super) template: Template,
    pub(super) webhook_secrets: CallbackKeys,
}

impl PersonaConfig {
    /// The time that one step may take, where it is not set.
    pub const DEFAULT_TIMEOUT: Duration = Bounds::DEFAULT_TIMEOUT;
    /// The most time that can be set: a shutdown waits for a step, and has ten seconds.
    pub const MAX_TIMEOUT: Duration = Bounds::MAX_TIMEOUT;
    /// The most bytes of an answer, by default and at all: what the core keeps of it.
    pub const MAX_BODY: usize = Bounds::MAX_BODY;

    /// Settings with the defaults, without callbacks.
    #[must_use]
    pub fn new(name: ProviderName, key: Secret<String>, template: impl Into<String>) -> Self {
        Self {
            name,
            key,
            template: template.into(),
            base_url: None,
            webhook_secrets: Vec::new(),
            timeout: Self::DEFAULT_TIMEOUT,
            max_body: Self::MAX_BODY,
            allow_insecure_http: false,
        }
    }

    pub(super) fn check(&self) -> Result<Checked, ConfigError> {
        let bounds = Bounds { timeout: self.timeout, max_body: self.max_body };
        bounds.check()?;
        let base = Base::parse(self.base_url.as_deref().unwrap_or(BASE_URL), self.allow_insecure_http)?;
        let template = Template::parse(&self.template).ok_or(ConfigError::Template)?;
        let webhook_secrets = CallbackKeys::new(&self.webhook_secrets)?;
        Ok(Checked {
            base,
            bounds,
            authorization: authorization("Bearer ", &self.key)?,
            template,
            webhook_secrets,
        })
    }
}

impl Template {
    fn parse(text: &str) -> Option<Self> {
        const KINDS: [(&str, &str); 3] = [
            ("itmpl_", "inquiry-template-id"),
            ("itmplv_", "inquiry-template-version-id"),
            ("tmpl_", "template-id"),
        ];
        let formed = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let kind = |prefix: &str| text.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
        let (_, member) = KINDS.into_iter().find(|(prefix, _)| formed && kind(prefix))?;
        Some(Self { member, id: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PersonaConfig {
        PersonaConfig::new(ProviderName::parse("persona").unwrap(), "persona_test_key".into(), "itmpl_A1")
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut PersonaConfig), expected: ConfigError) {
        let mut config = config();
        change(&mut config);
        assert_eq!(config.check().map(|_| ()), Err(expected));
    }

    #[test]
    fn each_setting_out_of_bounds_is_named() {
        assert!(config().check().is_ok());
        refused(|c| c.key = "".into(), ConfigError::Token);
        refused(|c| c.key = "a b".into(), ConfigError::Token);
        refused(|c| c.key = "a\r\nX: y".into(), ConfigError::Token);
        refused(|c| c.key = "x".repeat(513).into(), ConfigError::Token);
        refused(|c| c.template = String::new(), ConfigError::Template);
        refused(|c| c.template = "itmpl_".into(), ConfigError::Template);
        refused(|c| c.template = "A1".into(), ConfigError::Template);
        refused(|c| c.template = "itmpl_A\"1".into(), ConfigError::Template);
        refused(|c| c.base_url = Some("http://10.0.0.1".into()), ConfigError::InsecureBaseUrl);
        refused(|c| c.base_url = Some("here".into()), ConfigError::BaseUrl);
        refused(|c| c.timeout = Duration::from_secs(9), ConfigError::Timeout);
        refused(|c| c.max_body = 0, ConfigError::MaxBody);
        refused(|c| c.webhook_secrets = vec!["short".into()], ConfigError::CallbackSecrets);
        refused(|c| c.webhook_secrets = vec!["wbhsec_0000000000".into(); 3], ConfigError::CallbackSecrets);
    }

    #[test]
    fn each_kind_of_template_has_its_member() {
        for (id, member) in [
            ("itmpl_A1", "inquiry-template-id"),
            ("itmplv_A1", "inquiry-template-version-id"),
            ("tmpl_A1", "template-id"),
        ] {
            assert_eq!(Template::parse(id).unwrap().member, member, "{id}");
        }
    }

    #[test]
    fn neither_secret_is_shown() {
        let mut config = config();
        config.webhook_secrets = vec!["wbhsec_0000000000".into()];
        let text = format!("{config:?} {:?}", config.check().unwrap().authorization);
        assert!(!text.contains("persona_test") && !text.contains("wbhsec"), "{text}");
    }
}
