//! Onfido, API v3.6: the documents are uploaded, and a check is made of reports on them.
//!
//! A verification is one applicant, one upload a file, one check, and then looks at it until it is complete; a callback
//! (`check.completed`) only says when to look. Each id is kept before the next call is made.
//!
//! # One attempt, one check
//!
//! The API knows no idempotency keys. Whenever an id may have been lost, because a call ended in doubt or the process
//! died before it was kept, the adapter looks before it creates:
//!
//! * a check by the tag that we give it, among the checks of the applicant. This is exact, since the applicant is of
//!   this verification alone and its id was kept before: one attempt never has two checks, which are what costs.
//! * a file by its name, which is our id of it, among those of the applicant: as exact.
//! * an applicant by our id of the verification, which stands among its numbers of ids as one of the kind `other`: an
//!   applicant has no field for a reference. There is no search either, only a list, newest first; it is read back to
//!   where the verification began, and for five hundred applicants at most. Beyond that a second applicant is made:
//!   it has no check, costs nothing, and is the one thing that may be left behind when the person is forgotten.
//!
//! What the vendor's lists show late, after a call that ended in doubt, is not seen here.
//!
//! # What is asked for
//!
//! The report `document` on the newest front and back, and `facial_similarity_photo` where there is a selfie. Without a
//! picture of the front nothing is sent, and the customer is asked for one: `identity_enhanced`, which Onfido has for
//! data alone, looks the person up in registers of some countries and never sees the document that is to be validated.
//! WebP is not among the files that Onfido takes, so that another picture is asked for.

mod api;
mod callback;
mod config;
mod multipart;
mod progress;
mod reading;
mod signature;
mod steps;
mod table;
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

use super::base::ConfigError;
use super::exchange::step;
use super::vendor::CallbackKeys;
use api::{Api, Calls};
pub use config::{OnfidoConfig, Region};
use progress::Kept;
use steps::Picks;

/// Onfido. It needs a tokio runtime with a timer, and blocks none of its workers.
#[derive(Clone)]
pub struct OnfidoProvider {
    name: ProviderName,
    timeout: Duration,
    api: Arc<Api>,
    webhook_tokens: Arc<CallbackKeys>,
}

impl OnfidoProvider {
    /// Checks the settings; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is out of bounds.
    pub fn new(config: &OnfidoConfig, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let mut checked = config.check()?;
        let webhook_tokens = Arc::new(std::mem::take(&mut checked.webhook_tokens));
        let api = Arc::new(Api::new(checked, clock));
        Ok(Self { name: config.name.clone(), timeout: config.timeout, api, webhook_tokens })
    }

    /// Runs the calls of one step.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Calls<'_>) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let api = Arc::clone(&self.api);
        step(self.timeout, move |deadline| work(&api.within(deadline))).await
    }

    /// The step that is due after what was kept.
    async fn go_on(&self, submission: &Submission, kept: Kept) -> Result<Step, ProviderError> {
        if let Some(check) = kept.check.clone() {
            return self.blocking(move |calls| steps::look(calls, &kept, &check)).await;
        }
        let picks = match Picks::of(submission.documents.files()) {
            Ok(picks) => picks,
            Err(answer) => return Ok(Step::Done(answer)),
        };
        let request = submission.clone();
        if let Some(file) = picks.missing(&kept).cloned() {
            let content = submission.documents.read(file.id).await?;
            return self.blocking(move |calls| steps::file(calls, kept, &file, &request, content)).await;
        }
        let check = steps::Asked::of(&picks, &kept);
        self.blocking(move |calls| steps::check(calls, kept, check, request.verification)).await
    }
}

impl fmt::Debug for OnfidoProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnfidoProvider").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl IdentityProvider for OnfidoProvider {
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
        if let Some(progress) = progress {
            let stepped = self.go_on(submission, Kept::read(progress)?).await;
            // A part of the submission is there, so that no other provider may be asked instead.
            return stepped.map_err(|error| {
                if error == ProviderError::Unreachable { ProviderError::Transient } else { error }
            });
        }
        if let Err(answer) = Picks::of(submission.documents.files()) {
            return Ok(Step::Done(answer));
        }
        let request = submission.clone();
        self.blocking(move |calls| steps::applicant(calls, &request)).await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        signature::verify(&self.webhook_tokens, callback)?;
        callback::read(callback.body.expose())
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        let known = progress.map(Kept::read).transpose()?.map(|kept| kept.applicant);
        self.blocking(move |calls| {
            let applicant = match known {
                Some(applicant) => Some(applicant),
                None => calls.find_applicant(verification)?,
            };
            applicant.map_or(Ok(Forgotten::Done), |applicant| calls.forget(&applicant))
        })
        .await
    }
}
