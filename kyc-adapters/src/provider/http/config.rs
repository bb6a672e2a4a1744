//! What an HTTP provider is told at its start.

use std::time::Duration;

use kyc_core::domain::ids::ProviderName;

use super::super::base::Base;
pub use super::super::base::ConfigError;
use super::super::exchange::Bounds;
use super::signature::SigningKeys;

/// The settings of a [`HttpProvider`](super::HttpProvider), which checks them when it is made.
#[derive(Debug, Clone)]
pub struct HttpProviderConfig {
    /// The name by which settings, verifications and reports know the provider.
    pub name: ProviderName,
    /// What stands before `/v1/verifications`, such as `https://kyc.example.com/onboarding`.
    pub base_url: String,
    /// The secrets shared with the provider.
    pub keys: SigningKeys,
    /// The most time that one step may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// The most bytes of an answer that are read.
    pub max_body: usize,
    /// Whether plain HTTP is taken to other hosts than loopback. Personal data then crosses the network in
    /// the clear, so this is for a network that is closed by other means.
    pub allow_insecure_http: bool,
}

impl HttpProviderConfig {
    /// The time that one step may take, where it is not set.
    pub const DEFAULT_TIMEOUT: Duration = Bounds::DEFAULT_TIMEOUT;
    /// The most time that can be set: a shutdown waits for a step, and has ten seconds.
    pub const MAX_TIMEOUT: Duration = Bounds::MAX_TIMEOUT;
    /// The most bytes of an answer, by default and at all: what the core keeps of it.
    pub const MAX_BODY: usize = Bounds::MAX_BODY;

    /// Settings with the defaults.
    #[must_use]
    pub fn new(name: ProviderName, base_url: impl Into<String>, keys: SigningKeys) -> Self {
        Self {
            name,
            base_url: base_url.into(),
            keys,
            timeout: Self::DEFAULT_TIMEOUT,
            max_body: Self::MAX_BODY,
            allow_insecure_http: false,
        }
    }

    /// Checks everything.
    pub(super) fn check(&self) -> Result<Base, ConfigError> {
        self.bounds().check()?;
        Base::parse(&self.base_url, self.allow_insecure_http)
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds { timeout: self.timeout, max_body: self.max_body }
    }
}
