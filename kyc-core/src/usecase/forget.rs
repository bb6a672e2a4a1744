//! Have providers forget: "whoever was told of this person, forget, too."
//!
//! An erasure does not wait for others. It leaves a row for each verification of which a provider may know, and a
//! job asks until each provider has forgotten (Regulation (EU) 2016/679, article 19).

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::sealing::{Place, open};
use super::{Kyc, PortFailure, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::ProviderName;
use crate::domain::schedule::RetryPolicy;
use crate::domain::verification::Verification;
use crate::ports::cipher::{CipherError, Context};
use crate::ports::provider::{Forgotten, Progress, ProviderError};
use crate::ports::store::{CustomerRow, Forgetting, Write};

/// The longest time between two requests to a provider that is down.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What came of asking providers to forget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedToForget {
    /// How many have forgotten.
    pub forgotten: usize,
    /// Who can't be asked: the operator has to see to it by contract. A name for each row.
    pub unsupported: Vec<ProviderName>,
    /// How many are asked again later.
    pub later: usize,
}

enum Outcome {
    Forgotten,
    Unsupported(ProviderName),
    Later,
}

impl Kyc {
    /// Asks providers to forget what is due, at most `limit` at once. It is repeated, for as long as it takes, until
    /// each has; to be asked twice harms none.
    ///
    /// # Errors
    /// [`PortFailure`] where the store can't; what was not written down is asked again.
    pub async fn run_due_forgettings(&self, limit: u32) -> Result<AskedToForget, PortFailure> {
        let due = self.ports.store.due_forgettings(self.now(), limit).await?;
        let mut asked = AskedToForget::default();
        for outcome in join_all(due.into_iter().map(|one| self.have_forgotten(one))).await {
            match outcome? {
                Outcome::Forgotten => asked.forgotten += 1,
                Outcome::Unsupported(provider) => asked.unsupported.push(provider),
                Outcome::Later => asked.later += 1,
            }
        }
        Ok(asked)
    }

    /// How many rows wait for a provider that has not forgotten yet, counted up to `limit`.
    ///
    /// # Errors
    /// [`PortFailure`] where the store can't be read.
    pub async fn pending_forgettings(&self, limit: u32) -> Result<usize, PortFailure> {
        Ok(self.ports.store.forgettings(None, limit).await?.len())
    }

    async fn have_forgotten(&self, one: Forgetting) -> Result<Outcome, PortFailure> {
        let answer = match (self.ports.providers.named(&one.provider), self.progress_of(&one)) {
            (Some(provider), Ok(progress)) => provider.forget(one.verification, progress.as_ref()).await,
            // The operator may have it back in the settings.
            (None, _) => Err(ProviderError::Unreachable),
            // A key that is missing may come back.
            (_, Err(_)) => Err(ProviderError::Malformed),
        };
        let now = self.now();
        let event = |action| {
            let event = AuditEvent::new(&Actor::system("forgetting"), action, now);
            event.on(one.subject).of(one.verification, &one.provider)
        };
        let (outcome, writes, audit) = match answer {
            Ok(Forgotten::Done) => (
                Outcome::Forgotten,
                vec![Write::RemoveForgetting(one.verification)],
                vec![event(Action::ProviderForgot)],
            ),
            Ok(Forgotten::Unsupported) => (
                Outcome::Unsupported(one.provider.clone()),
                vec![Write::RemoveForgetting(one.verification)],
                vec![event(Action::ProviderCantForget)],
            ),
            Err(error) => {
                // The first failure is told; an outage of days needs no event for each.
                let audit =
                    (one.failures == 0).then(|| event(Action::ProviderForgetsLater).because([error.class()]));
                let failures = one.failures.saturating_add(1);
                let due_at = now.saturating_add(self.wait(error, failures)?).unwrap_or(Timestamp::MAX);
                let later = Forgetting { failures, due_at, ..one.clone() };
                (Outcome::Later, vec![Write::PutForgetting(later)], audit.into_iter().collect())
            }
        };
        self.commit_alone(now, writes, audit).await?;
        Ok(outcome)
    }

    fn wait(&self, error: ProviderError, failures: u32) -> Result<Duration, PortFailure> {
        let wait = match error {
            ProviderError::RateLimited { retry_after: Some(wait) }
            | ProviderError::HeldBack { retry_after: wait } => wait,
            ProviderError::RateLimited { retry_after: None }
            | ProviderError::Unreachable
            | ProviderError::Transient
            | ProviderError::Refused
            | ProviderError::Malformed => {
                let retry = RetryPolicy { cap: LONGEST_WAIT, ..self.policy.retry };
                retry.delay(failures, u64::from_be_bytes(self.random()?))
            }
        };
        Ok(wait.min(LONGEST_WAIT))
    }

    /// What an erasure of this customer leaves to be asked of providers.
    pub(super) async fn forgettings(&self, row: &CustomerRow, at: Timestamp) -> Result<Vec<Write>, Refused> {
        let all = self.ports.store.verifications(row.subject).await;
        let all = all.map_err(|error| Refused::Failed(error.into()))?;
        let told = all.iter().filter(|one| may_be_known(one));
        let forgettings = told.map(|one| self.forgetting(row, one, at).map(Write::PutForgetting));
        forgettings.collect::<Result<_, CipherError>>().map_err(|error| Refused::Failed(error.into()))
    }

    fn forgetting(
        &self,
        row: &CustomerRow,
        of: &Verification,
        at: Timestamp,
    ) -> Result<Forgetting, CipherError> {
        let cipher = &*self.ports.cipher;
        let key = cipher.new_data_key(row.subject)?;
        let progress = match &of.progress {
            None => None,
            Some(sealed) => match open(cipher, row, Place::Progress(of.id), sealed) {
                Ok(bytes) => Some(
                    Place::Forgetting(of.id)
                        .within(row.subject, None, |context| cipher.seal(&key, context, bytes.expose()))?,
                ),
                // What was altered by hand does not keep anybody from being erased.
                Err(CipherError::Unreadable) => None,
                Err(
                    error @ (CipherError::UnknownKeyVersion(_)
                    | CipherError::Unavailable
                    | CipherError::Exhausted),
                ) => {
                    return Err(error);
                }
            },
        };
        Ok(Forgetting {
            verification: of.id,
            subject: row.subject,
            provider: of.provider.clone(),
            key,
            progress,
            erased_at: at,
            failures: 0,
            due_at: at,
        })
    }

    fn progress_of(&self, one: &Forgetting) -> Result<Option<Progress>, CipherError> {
        let Some(sealed) = &one.progress else { return Ok(None) };
        let open = |context: &Context<'_>| self.ports.cipher.open(&one.key, context, sealed);
        let bytes: Secret<Vec<u8>> = Place::Forgetting(one.verification).within(one.subject, None, open)?;
        Progress::new(bytes.expose().clone()).map(Some).ok_or(CipherError::Unreadable)
    }
}

/// Whether a provider may hold something of a verification.
const fn may_be_known(one: &Verification) -> bool {
    one.attempted || one.progress.is_some() || one.submitted_at.is_some()
}
