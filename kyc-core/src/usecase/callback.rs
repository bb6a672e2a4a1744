//! Receive a callback: "something happened at the provider".
//!
//! Callbacks are late, doubled and out of order, and a provider may send one before our own worker has written
//! down what it is about. So a callback decides nothing that the provider's answer to a question would not: one
//! that bears an answer is recorded as any answer is, and one that does not has the verification looked at now.

use std::sync::Arc;

use jiff::Timestamp;

use super::change::Change;
use super::record::references;
use super::sealing::{Place, seal};
use super::{Kyc, PortFailure, ROUNDS, Ran, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::ProviderName;
use crate::domain::verification::State;
use crate::ports::cipher::DigestPurpose;
use crate::ports::provider::{About, Callback, CallbackError};
use crate::ports::store::{Conflict, CustomerRow, IdempotencyRecord, RecordedAnswer, VerificationRecord};

/// What became of a callback that is genuine. A provider is told the same of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The answer that it bears was recorded.
    Recorded(Ran),
    /// The verification is looked at now.
    LooksNow,
    /// The same callback was received before, and this one has changed nothing.
    Repeated,
    /// It changed nothing: it speaks of nothing that is known here, or no more, or not of this provider; or of a
    /// verification that has ended, has not been submitted, or is looked at anyway.
    Unchanged,
}

/// Why a callback was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// No provider of this name sends callbacks.
    #[error("no provider of this name sends callbacks")]
    UnknownProvider,
    /// The signature is missing or wrong, or its time is outside the provider's window. Which of them is not
    /// told, so that nobody learns from it.
    #[error("the callback's signature is missing, wrong, or not of this time")]
    NotGenuine,
    /// It is genuine and can't be read.
    #[error("the callback could not be read")]
    Unreadable,
    /// A port failed. The provider is to send it again.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl From<CallbackError> for CallbackRefused {
    fn from(error: CallbackError) -> Self {
        match error {
            CallbackError::BadSignature | CallbackError::OutsideWindow => Self::NotGenuine,
            CallbackError::Malformed => Self::Unreadable,
            CallbackError::Unsupported => Self::UnknownProvider,
        }
    }
}

impl Kyc {
    /// Takes a callback that claims to come from a provider. Nothing is looked up before its signature was found
    /// to be right, and it is quick: what there is to fetch is fetched by a worker.
    ///
    /// The same callback has one effect, however often it is sent within a day ([`Kyc::RECALLED_FOR`]). Later it is
    /// at most a reason to look once more, which changes nothing by itself.
    ///
    /// # Errors
    /// [`CallbackRefused`].
    pub async fn receive_callback(
        &self,
        provider: &ProviderName,
        callback: &Callback,
    ) -> Result<Received, CallbackRefused> {
        let named = self.ports.providers.named(provider).ok_or(CallbackRefused::UnknownProvider)?;
        let news = named.read_callback(callback)?;
        let parts = [provider.as_str().as_bytes(), news.event.expose().as_bytes()];
        let event = self.ports.cipher.digests(DigestPurpose::CallbackEvent, &parts);
        for key in event.all() {
            let known = self.ports.store.recorded(key).await.map_err(PortFailure::from)?;
            if known.is_some_and(|known| known.expires_at > self.now()) {
                return Ok(Received::Repeated);
            }
        }
        let Some(record) = self.spoken_of(provider, &news.about).await? else {
            return Ok(Received::Unchanged);
        };
        let kyc = Self { callback: Some(Arc::new(event)), ..self.clone() };
        let received = match news.answer {
            Some(answer) => kyc.answered(record, answer).await.map(Received::Recorded),
            None => kyc.look_now(record).await,
        };
        match received {
            // The same callback was taken at the same time.
            Err(PortFailure::InFlight) => Ok(Received::Repeated),
            received => Ok(received?),
        }
    }

    /// The verification at this provider that a callback speaks of. By the provider's own id only an open one is
    /// found.
    async fn spoken_of(
        &self,
        provider: &ProviderName,
        about: &About,
    ) -> Result<Option<VerificationRecord>, PortFailure> {
        let found = match about {
            About::Verification(id) => self.ports.store.verification(*id).await?,
            About::Reference(reference) => {
                let mut found = None;
                for digest in references(&*self.ports.cipher, provider, reference).all() {
                    found = self.ports.store.verification_by_reference(digest).await?;
                    if found.is_some() {
                        break;
                    }
                }
                found
            }
        };
        Ok(found.filter(|record| record.verification.provider == *provider))
    }

    /// Has a verification that waits at the provider looked at now. One that a worker has at this moment, or that
    /// is due, is left to the worker; one that was not submitted waits for another reason.
    async fn look_now(&self, mut record: VerificationRecord) -> Result<Received, PortFailure> {
        for _ in 0..ROUNDS {
            let now = self.now();
            let VerificationRecord { verification, row, .. } = &record;
            let waits =
                verification.state == State::Submitted && verification.due_at.is_some_and(|due| due > now);
            if !waits {
                return Ok(Received::Unchanged);
            }
            let mut change = Change::of(row, verification, now).unclaimed();
            change.verification.due_at = Some(now);
            let actor = Actor::system("callback");
            let event = AuditEvent::new(&actor, Action::CallbackReceived, now);
            change.witness(event.of(verification.id, &verification.provider));
            match change.commit(self).await {
                Ok(_) => {
                    self.wake();
                    return Ok(Received::LooksNow);
                }
                Err(Refused::Conflict(Conflict::LeaseLost)) => return Ok(Received::Unchanged),
                Err(Refused::Conflict(
                    Conflict::Revision
                    | Conflict::CustomerIdTaken
                    | Conflict::IdempotencyKeyTaken
                    | Conflict::Erased,
                )) => {}
                Err(Refused::Failed(failure)) => return Err(failure),
            }
            let Some(now_there) = self.ports.store.verification(record.verification.id).await? else {
                return Ok(Received::Unchanged);
            };
            record = now_there;
        }
        Err(PortFailure::Contended)
    }

    /// The record that a callback was received, for the changeset that writes `row`; none where the change is of no
    /// callback. It bears a sealed nothing, and so it goes with the customer.
    pub(super) fn remember_callback(
        &self,
        row: &mut CustomerRow,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, PortFailure> {
        let Some(event) = &self.callback else { return Ok(None) };
        let nothing = Secret::new(Vec::new());
        let answer = seal(&*self.ports.cipher, row, Place::Recorded(event.current), &nothing)?;
        Ok(Some(IdempotencyRecord {
            keys: event.all().collect(),
            body: event.current,
            answer: RecordedAnswer::Sealed { subject: row.subject, answer },
            recorded_at: now,
            expires_at: now.saturating_add(Self::RECALLED_FOR).unwrap_or(Timestamp::MAX),
        }))
    }
}
