//! Do once what is asked twice: "did you get my request?" (draft-ietf-httpapi-idempotency-key-header).
//!
//! [`Kyc::under_key`] gives a handle whose next use case is recorded with its effect, in one changeset: the
//! keyed digests of who asked for what, and the answer, sealed under the customer's data key. [`Kyc::recall`]
//! finds it again for a day. A use case takes part by building its answer before it commits, and by putting what
//! `Kyc::remember` makes of it into its changeset.

mod rendered;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use self::rendered::Rendered;
use super::sealing::{Place, seal};
use super::{CustomerView, DocumentView, Kyc, LegalHold, PortFailure, Refused, Relationship, Updated};
use crate::domain::actor::Actor;
use crate::domain::api_key::ApiKey;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::field::Field;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::ApiKeyId;
use crate::domain::permission::{Forbidden, Permission};
use crate::domain::verification::Verification;
use crate::ports::cipher::{CipherError, Context, DigestPurpose, Digests};
use crate::ports::store::{CustomerRow, Guard, IdempotencyRecord, Recorded, RecordedAnswer, Write};

/// What use cases that can be done once answer.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// A customer was registered.
    Registered(&'a CustomerView),
    /// A customer was changed.
    Updated(&'a Updated),
    /// A verification was queued.
    VerificationQueued(&'a Verification),
    /// A file was stored.
    DocumentAdded(&'a DocumentView),
    /// The end of a relationship was recorded.
    RelationshipRecorded(&'a Relationship),
    /// A customer was put under a legal hold.
    LegalHoldSet(&'a LegalHold),
    /// An API key was made. The secret is not here: it is in the first answer, and in no replay.
    ApiKeyCreated(&'a ApiKey),
}

/// Makes of an answer what goes over the wire, the same each time.
pub type Render = fn(Answer<'_>) -> Rendered;

/// A request that may come again.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The caller's name for it.
    pub key: &'a IdempotencyKey,
    /// The method of the request.
    pub method: &'a str,
    /// Its path.
    pub path: &'a str,
    /// Its body, as it came, or what stands for it: equal for equal bodies, and for no others.
    pub body: &'a [u8],
}

/// What is known of the request while it is carried out.
pub(super) struct Once {
    keys: Digests,
    bodies: Digests,
    render: Render,
}

/// Why nothing was recalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecallError {
    /// The actor may not do this. Nothing was looked up.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Under this key something else was asked.
    #[error("the idempotency key was used for a request with another body")]
    OtherBody,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

impl Kyc {
    /// How long an answer is kept.
    pub const RECALLED_FOR: SignedDuration = SignedDuration::from_hours(24);

    /// The same service, for one request under a key: what it changes is recorded with the answer. The key is
    /// the actor's own, and counts for this method and path.
    #[must_use]
    pub fn under_key(&self, actor: &Actor, asked: Asked<'_>, render: Render) -> Self {
        let Asked { key, method, path, body } = asked;
        let holder = actor.holder();
        let parts = [holder.as_bytes(), method.as_bytes(), path.as_bytes(), key.as_str().as_bytes(), body];
        let [scope @ .., _] = &parts;
        let once = Once {
            keys: self.ports.cipher.digests(DigestPurpose::IdempotencyKey, scope),
            // The body's digest covers the scope too, so that it tells nothing of bodies that are equal.
            bodies: self.ports.cipher.digests(DigestPurpose::IdempotencyBody, &parts),
            render,
        };
        Self { once: Some(Arc::new(once)), ..self.clone() }
    }

    /// What was answered when the same was asked before. None where it was not, where that is a day ago, and
    /// where the customer whom the answer is about is no more. The permission is that of the request itself.
    ///
    /// # Errors
    /// [`RecallError`]; [`RecallError::Forbidden`] also where the answer shows what the actor may no longer see.
    pub async fn recall(
        &self,
        actor: &Actor,
        permission: Permission,
    ) -> Result<Option<Rendered>, RecallError> {
        actor.require(permission)?;
        let Some(once) = &self.once else { return Ok(None) };
        let Some(recorded) = self.recorded(once).await? else { return Ok(None) };
        if !once.bodies.all().any(|body| body == recorded.body) {
            return Err(RecallError::OtherBody);
        }
        match &recorded.answer {
            RecordedAnswer::Sealed { subject, answer } => {
                let Some(key) = &recorded.key else { return Ok(None) };
                let place = Place::Recorded(recorded.body);
                let open = |place: &Context<'_>| self.ports.cipher.open(key, place, answer);
                let opened = place.within(*subject, None, open);
                let decoded = opened
                    .and_then(|opened| Rendered::decode(opened.expose()).ok_or(CipherError::Unreadable));
                let (rendered, shown) = match decoded {
                    Ok(decoded) => decoded,
                    Err(error) => return Err(self.alarm(actor, *subject, error).await.into()),
                };
                if !shown.iter().all(|field| actor.sight().shows(*field)) {
                    return Err(Forbidden.into());
                }
                if !shown.is_empty() {
                    let event = AuditEvent::new(actor, Action::CustomerRead, self.now());
                    self.witness(event.on(*subject).about(shown)).await?;
                }
                Ok(Some(rendered))
            }
            RecordedAnswer::ApiKey(id) => {
                let keys = self.ports.store.api_keys().await.map_err(PortFailure::from)?;
                let found = keys.into_iter().find(|key| key.id == *id);
                // As it was when it was made.
                let made = found.map(|key| ApiKey { revoked_at: None, last_used_at: None, ..key });
                Ok(made.map(|key| (once.render)(Answer::ApiKeyCreated(&key))))
            }
        }
    }

    /// Whether something is recorded under the key by now. After a use case has refused: then the same request
    /// was carried out at the same time, and the refusal may be its doing.
    ///
    /// # Errors
    /// [`PortFailure`] where the store can't be read.
    pub async fn is_recorded(&self) -> Result<bool, PortFailure> {
        match &self.once {
            None => Ok(false),
            Some(once) => Ok(self.recorded(once).await?.is_some()),
        }
    }

    /// Removes records that have expired, at most `limit` at a time. For a job: what has expired counts no more
    /// in any case. Returns how many times it removed some.
    ///
    /// # Errors
    /// [`PortFailure`] where a port failed.
    pub async fn forget_expired_records(&self, limit: u32) -> Result<u32, PortFailure> {
        let mut rounds = 0;
        loop {
            let now = self.now();
            match self.ports.store.next_expiry().await? {
                Some(next) if next <= now => {
                    self.commit_alone(now, vec![Write::ForgetExpired { now, limit }], Vec::new()).await?;
                    rounds += 1;
                }
                Some(_) | None => return Ok(rounds),
            }
        }
    }

    /// The record of an answer about a customer, for the changeset that writes `row`: the message is counted
    /// in it. `shown` are the fields of the customer that the answer shows. None where there is no key.
    pub(super) fn remember(
        &self,
        row: &mut CustomerRow,
        answer: Answer<'_>,
        shown: impl FnOnce() -> Vec<Field>,
        now: Timestamp,
    ) -> Result<Option<IdempotencyRecord>, PortFailure> {
        let Some(once) = &self.once else { return Ok(None) };
        let plaintext = (once.render)(answer).encode(&shown());
        let sealed = seal(&*self.ports.cipher, row, Place::Recorded(once.bodies.current), &plaintext)?;
        Ok(Some(once.record_of(RecordedAnswer::Sealed { subject: row.subject, answer: sealed }, now)))
    }

    /// Records the answer to a request that changed nothing of the customer, where it has an idempotency key.
    /// Only the use of the data key is counted.
    pub(super) async fn remember_alone(
        &self,
        row: &CustomerRow,
        answer: Answer<'_>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut next = row.clone();
        let record = self.remember(&mut next, answer, Vec::new, now).map_err(Refused::Failed)?;
        if record.is_none() {
            return Ok(());
        }
        next.revision += 1;
        let guards = vec![Guard::Revision { subject: row.subject, revision: row.revision }];
        self.commit_recorded(now, guards, vec![Write::UpdateCustomer(next)], Vec::new(), record).await
    }

    /// The record that an API key was made. None where there is no idempotency key.
    pub(super) fn remember_api_key(&self, id: ApiKeyId, now: Timestamp) -> Option<IdempotencyRecord> {
        self.once.as_ref().map(|once| once.record_of(RecordedAnswer::ApiKey(id), now))
    }

    async fn recorded(&self, once: &Once) -> Result<Option<Recorded>, PortFailure> {
        let now = self.now();
        for key in once.keys.all() {
            let recorded = self.ports.store.recorded(key).await?;
            if let Some(recorded) = recorded.filter(|recorded| recorded.expires_at > now) {
                return Ok(Some(recorded));
            }
        }
        Ok(None)
    }
}

impl Once {
    fn record_of(&self, answer: RecordedAnswer, now: Timestamp) -> IdempotencyRecord {
        IdempotencyRecord {
            keys: self.keys.all().collect(),
            body: self.bodies.current,
            answer,
            recorded_at: now,
            expires_at: now.saturating_add(Kyc::RECALLED_FOR).unwrap_or(Timestamp::MAX),
        }
    }
}
