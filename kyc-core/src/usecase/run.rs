//! Run what is due: take verifications that are due a step further, each under a lease.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::record::{Findings, News};
use super::sealing::{Place, open, open_customer};
use super::{Kyc, PortFailure, day};
use crate::domain::actor::Actor;
use crate::domain::customer::Customer;
use crate::domain::decision::settles_alone;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::field::Field;
use crate::domain::status::Decision;
use crate::domain::verification::State;
use crate::ports::IdentityProvider;
use crate::ports::cipher::CipherError;
use crate::ports::provider::{Documents, Progress, ProviderError, Step, Submission};
use crate::ports::store::{Claim, Claimed, Queue, VerificationRecord};

/// How long a worker holds a verification. A step of a provider takes at most eight seconds, so a
/// worker that is past this is dead or asleep, and its fencing token refuses what it writes later.
pub const LEASE: Duration = Duration::from_secs(30);

/// What became of a verification that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// It ended.
    Decided(Decision),
    /// The provider has it, or the customer; it is looked at again later.
    Saved,
    /// A call failed and is tried again later.
    Deferred,
    /// It had ended before the answer came; the answer was recorded and changed nothing.
    Ignored,
    /// Another worker has it by now; nothing was written.
    LeaseLost,
    /// The customer was erased meanwhile; nothing was written.
    Erased,
}

impl Kyc {
    /// Takes verifications that are due, at most `limit`, each under a lease of [`LEASE`]. Hand each to
    /// [`Kyc::run`].
    ///
    /// # Errors
    /// [`PortFailure`] where the store can't.
    pub async fn claim_due(&self, limit: u32) -> Result<Vec<Claimed>, PortFailure> {
        let now = self.now();
        let claim = Claim {
            queue: Queue::Verifications,
            limit,
            now,
            until: now.saturating_add(LEASE).unwrap_or(Timestamp::MAX),
        };
        Ok(self.ports.store.claim(claim).await?)
    }

    /// Claims verifications that are due, at most `limit`, and runs them side by side.
    ///
    /// # Errors
    /// [`PortFailure`] of the claim, or the first one of a run; the others have run all the same.
    pub async fn run_due_verifications(&self, limit: u32) -> Result<Vec<Ran>, PortFailure> {
        let claimed = self.claim_due(limit).await?;
        join_all(claimed.into_iter().map(|claimed| self.run(claimed))).await.into_iter().collect()
    }

    /// Takes one verification a step further: our own rules first, and then the provider, unless the rules
    /// have settled it. Nothing is waited for while a commit is open.
    ///
    /// # Errors
    /// [`PortFailure`] where the result could not be kept. The lease then runs out, and the step is done
    /// again; a submission is idempotent at the provider.
    pub async fn run(&self, claimed: Claimed) -> Result<Ran, PortFailure> {
        let actor = Actor::system("worker");
        let Claimed { record, lease } = claimed;
        let Ok(Prepared { customer, own, progress }) = self.prepare(&record) else {
            // A key that is missing may come back, so this counts as a failed call.
            return self.record(&actor, record, Some(lease), News::Unreadable, Findings::default()).await;
        };
        if record.verification.state == State::Queued && settles_alone(&own) {
            let findings = Findings { own, disclosed: Vec::new() };
            return self.record(&actor, record, Some(lease), News::Settled, findings).await;
        }
        let Some(provider) = self.ports.providers.named(&record.verification.provider) else {
            // The operator may have it back in the settings; until then it counts as one that is down.
            let news = News::Failed(ProviderError::Unreachable);
            return self
                .record(&actor, record, Some(lease), news, Findings { own, disclosed: Vec::new() })
                .await;
        };
        let disclosed = if progress.is_none() { disclosed(provider, &customer) } else { Vec::new() };
        let submission = Submission {
            verification: record.verification.id,
            subject: record.row.subject,
            customer,
            documents: Documents::none(),
        };
        let news = match provider.advance(&submission, progress.as_ref()).await {
            Ok(Step::Save { progress, again_in }) => News::Saved { progress, link: None, again_in },
            Ok(Step::Ask { progress, link, again_in }) => {
                News::Saved { progress, link: Some(link), again_in }
            }
            Ok(Step::Done(answer)) => News::Answered(answer),
            Err(error) => News::Failed(error),
        };
        self.record(&actor, record, Some(lease), news, Findings { own, disclosed }).await
    }

    /// Opens what a step needs, and applies our own rules.
    pub(super) fn prepare(&self, record: &VerificationRecord) -> Result<Prepared, CipherError> {
        let VerificationRecord { verification, row, data } = record;
        let cipher = &*self.ports.cipher;
        let customer = open_customer(cipher, row, verification.version, data)?;
        let progress = match &verification.progress {
            None => None,
            Some(sealed) => {
                let bytes = open(cipher, row, Place::Progress(verification.id), sealed)?;
                Some(Progress::new(bytes.expose().clone()).ok_or(CipherError::Unreadable)?)
            }
        };
        let own = self.policy.check(&customer, day(self.now()));
        Ok(Prepared { customer, own, progress })
    }
}

/// What the provider is shown of a customer.
fn disclosed(provider: &dyn IdentityProvider, customer: &Customer) -> Vec<Field> {
    let mut fields = provider.discloses();
    fields.retain(|field| customer.has(*field));
    fields
}

/// What a step needs.
pub(super) struct Prepared {
    pub(super) customer: Customer,
    /// What our own rules found.
    pub(super) own: Vec<Discrepancy>,
    pub(super) progress: Option<Progress>,
}
