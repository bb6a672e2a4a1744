//! Persona, by its API of 2025-12-08: the person goes to a page of the vendor.
//!
//! An attempt is an inquiry. It is made with what the customer declared; the customer is given a one-time link to it;
//! and it is looked at until it has ended, when the policy says or when a callback does. Each of these is a step, and
//! what is known after it is kept, so that no step is done twice: a repeat of a `POST` bears the same
//! `Idempotency-Key`.
//!
//! A callback only says that there is something to fetch. What the checks mean stands in one table (`checks`), and
//! what is not in it verifies nobody.

mod callback;
mod checks;
mod client;
mod compare;
mod config;
mod progress;
mod reading;
mod signature;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};
use kyc_core::ports::{Clock, IdentityProvider};

pub use config::PersonaConfig;

use super::base::ConfigError;
use super::exchange::step;
use super::vendor::{CallbackKeys, Vendor};
use client::{Call, Client};
use config::{Checked, Template};
use progress::Kept;

/// Persona as an identity provider. It needs a tokio runtime with a timer, and blocks none of its workers.
#[derive(Clone)]
pub struct PersonaProvider {
    name: ProviderName,
    timeout: Duration,
    template: Template,
    webhook_secrets: Arc<CallbackKeys>,
    client: Arc<Client>,
}

impl PersonaProvider {
    /// Checks the settings; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is out of bounds.
    pub fn new(config: &PersonaConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let Checked { base, bounds, authorization, template, webhook_secrets } = config.check()?;
        let loopback_links = base.loopback;
        let vendor = Vendor::new(base, bounds, Arc::clone(&clock));
        let client = Arc::new(Client { vendor, authorization, loopback_links, clock });
        let webhook_secrets = Arc::new(webhook_secrets);
        Ok(Self { name: config.name.clone(), timeout: bounds.timeout, template, webhook_secrets, client })
    }

    /// Runs the calls of one step.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Call) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let (name, client) = (self.name.clone(), Arc::clone(&self.client));
        step(self.timeout, move |deadline| work(Call { name, client, deadline })).await
    }
}

impl fmt::Debug for PersonaProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonaProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for PersonaProvider {
    fn name(&self) -> ProviderName {
        self.name.clone()
    }

    fn discloses(&self) -> Vec<Field> {
        wire::DISCLOSED.to_vec()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let verification = submission.verification;
        let Some(progress) = progress else {
            let body = wire::inquiry(submission, &self.template).ok_or(ProviderError::Refused)?;
            return self.blocking(move |call| call.create(verification, &body)).await;
        };
        let kept = Kept::read(progress)?;
        let declared = submission.customer.clone();
        self.blocking(move |call| call.go_on(verification, kept, &declared)).await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        signature::verify(&self.webhook_secrets, callback)?;
        callback::read(callback)
    }

    async fn forget<'a>(
        &self,
        _verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        // Without an inquiry the vendor was never told of the person.
        let Some(progress) = progress else { return Ok(Forgotten::Done) };
        let kept = Kept::read(progress)?;
        self.blocking(move |call| call.forget(&kept)).await
    }
}
