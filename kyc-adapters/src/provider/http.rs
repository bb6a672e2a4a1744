//! A provider behind the vendor-neutral HTTP contract: `openapi/provider.json`.
//!
//! Three requests, each of them safe to repeat: submit (`POST /v1/verifications`), look
//! (`GET /v1/verifications/{id}`), forget (`DELETE /v1/verifications/{id}`); and callbacks to us. All are signed
//! both ways ([`signature`]). An answer without a right signature is [`ProviderError::Malformed`], whatever it
//! says, but for the statuses that only mean "later".

mod client;
mod config;
mod reading;
pub mod signature;
pub mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kyc_core::Secret;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::provider::{
    About, Callback, CallbackError, CallbackNews, Forgotten, Progress, ProviderError, Step, Submission,
};
use kyc_core::ports::{Clock, IdentityProvider};
use serde::Serialize;
use ureq::http::Method;

pub use config::{ConfigError, HttpProviderConfig};
pub use signature::{SecretsError, SigningKeys};

use super::exchange::{Deadline, step};
use client::Client;
use reading::{Reader, Standing};
use signature::{Message, SIGNATURE_HEADER, within_window};
use wire::VerificationRequest;

/// The format of [`Progress`] that this version writes.
const PROGRESS_FORMAT: u8 = 1;
/// More bytes than any submission has: seven texts of 200 characters, and short fields.
const MAX_SUBMISSION: usize = 16 * 1024;

/// A provider that speaks the contract. It needs a tokio runtime with a timer, and blocks none of its workers.
#[derive(Clone)]
pub struct HttpProvider {
    name: ProviderName,
    timeout: Duration,
    client: Arc<Client>,
}

impl HttpProvider {
    /// Checks the settings; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is out of bounds.
    pub fn new(config: &HttpProviderConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let base = config.check()?;
        let client = Arc::new(Client::new(config, base, clock));
        Ok(Self { name: config.name.clone(), timeout: config.timeout, client })
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

impl fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for HttpProvider {
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
        let body = encode(submission).ok_or(ProviderError::Refused)?;
        let verification = submission.verification;
        // Progress of any format says that a submission was made, so it is looked for before it is sent.
        let submitted = progress.is_some();
        self.blocking(move |call| {
            let found = if submitted { call.look(verification)? } else { None };
            // The provider has lost it. To submit again is safe: the id is the same.
            found.map_or_else(|| call.submit(verification, &body), Ok)
        })
        .await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        let header = callback.header(SIGNATURE_HEADER).ok_or(CallbackError::BadSignature)?;
        let message = Message::Callback { body: callback.body.expose() };
        let signed_at =
            self.client.keys().verify(header, message).map_err(|_| CallbackError::BadSignature)?;
        if !within_window(signed_at, callback.received_at) {
            return Err(CallbackError::OutsideWindow);
        }
        let reader = Reader { provider: &self.name, loopback_links: self.client.is_local() };
        let told = reader.callback(&callback.body).map_err(|_| CallbackError::Malformed)?;
        let answer = match told.standing {
            Standing::Done(answer) => Some(answer),
            Standing::Processing { .. } | Standing::AwaitingCustomer { .. } => None,
        };
        Ok(CallbackNews { about: About::Verification(told.verification), event: told.event, answer })
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        _progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        self.blocking(move |call| call.forget(verification)).await
    }
}

/// One step's exchanges, on a blocking thread.
struct Call {
    name: ProviderName,
    client: Arc<Client>,
    deadline: Deadline,
}

impl Call {
    fn submit(&self, verification: VerificationId, body: &Secret<Vec<u8>>) -> Result<Step, ProviderError> {
        let reply = self.client.exchange(Method::POST, "/v1/verifications", Some(body), self.deadline)?;
        match reply.status {
            200 | 202 => self.step(verification, &reply.body),
            400..=499 => Err(ProviderError::Refused),
            _ => Err(ProviderError::Malformed),
        }
    }

    /// None where the provider does not know the verification.
    fn look(&self, verification: VerificationId) -> Result<Option<Step>, ProviderError> {
        let reply = self.client.exchange(Method::GET, &path_of(verification), None, self.deadline)?;
        match reply.status {
            200 => self.step(verification, &reply.body).map(Some),
            404 => Ok(None),
            400..=499 => Err(ProviderError::Refused),
            _ => Err(ProviderError::Malformed),
        }
    }

    fn forget(&self, verification: VerificationId) -> Result<Forgotten, ProviderError> {
        let reply = self.client.exchange(Method::DELETE, &path_of(verification), None, self.deadline)?;
        match reply.status {
            204 | 404 => Ok(Forgotten::Done),
            405 => Ok(Forgotten::Unsupported),
            400..=499 => Err(ProviderError::Refused),
            _ => Err(ProviderError::Malformed),
        }
    }

    fn step(&self, verification: VerificationId, body: &Secret<Vec<u8>>) -> Result<Step, ProviderError> {
        let reader = Reader { provider: &self.name, loopback_links: self.client.is_local() };
        Ok(match reader.answer(verification, body).map_err(|_| ProviderError::Malformed)? {
            Standing::Processing { again_in } => {
                Step::Save { progress: submitted()?, again_in: Some(again_in) }
            }
            Standing::AwaitingCustomer { link, again_in } => {
                Step::Ask { progress: submitted()?, link, again_in: Some(again_in) }
            }
            Standing::Done(answer) => Step::Done(answer),
        })
    }
}

fn path_of(verification: VerificationId) -> String {
    format!("/v1/verifications/{verification}")
}

/// The body of a submission. The buffer holds the longest one, so that it never moves and leaves no copy of
/// personal data behind.
fn encode(submission: &Submission) -> Option<Secret<Vec<u8>>> {
    let mut body = Vec::with_capacity(MAX_SUBMISSION);
    serde_json::to_writer(&mut body, &VerificationRequest::of(submission)).ok()?;
    Some(Secret::new(body))
}

/// What is kept between steps. The id of the verification is all that the provider needs, so this only says
/// that there was a submission.
#[derive(Serialize)]
struct Submitted {
    format: u8,
    submitted: bool,
}

fn submitted() -> Result<Progress, ProviderError> {
    let bytes = serde_json::to_vec(&Submitted { format: PROGRESS_FORMAT, submitted: true });
    bytes.ok().and_then(Progress::new).ok_or(ProviderError::Malformed)
}
