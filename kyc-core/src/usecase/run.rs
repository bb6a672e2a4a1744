//! Run what is due: take verifications that are due a step further, each under a lease.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::documents::Submitted;
use super::providers::{Choice, Wish};
use super::record::{Findings, Held, News};
use super::sealing::{Place, open, open_customer};
use super::{Kyc, PortFailure, day};
use crate::domain::actor::Actor;
use crate::domain::customer::Customer;
use crate::domain::decision::settles_alone;
use crate::domain::discrepancy::Discrepancy;
use crate::domain::field::Field;
use crate::domain::status::Decision;
use crate::domain::verification::{Cause, State, Verification};
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
    /// The provider is known to be down, and was not called; that counts no try.
    Waiting,
    /// Nothing has left this machine, and another provider is to be asked; it is due at once.
    Moved,
    /// It ended, and a second provider is asked before anything is decided.
    Seconded,
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
        let held = Held { lease, attempted: record.verification.attempted };
        let Ok(prepared) = self.prepare(&record) else {
            // A key that is missing may come back, so this counts as a failed call.
            return self.record(&actor, record, Some(held), News::Unreadable, Findings::default()).await;
        };
        let (news, findings) = self.step(&record, prepared).await?;
        self.record(&actor, record, Some(held), news, findings).await
    }

    /// One step: our own rules, or one call of one provider, or the news that there is none to be made.
    async fn step(
        &self,
        record: &VerificationRecord,
        prepared: Prepared,
    ) -> Result<(News, Findings), PortFailure> {
        let verification = &record.verification;
        let mut findings = prepared.findings(self);
        let Prepared { customer, progress, .. } = prepared;
        if verification.state == State::Queued && settles_alone(&findings.own) {
            return Ok((News::Settled, findings));
        }
        let first = self.first_of(verification).await?;
        let wish = Wish {
            of: verification.id,
            // Of anything else somebody may know.
            may_move: verification.state == State::Queued && progress.is_none() && !verification.attempted,
            barred: first.as_ref().map(|first| &first.provider),
            clock: &*self.ports.clock,
            policy: &self.policy.breaker,
        };
        let rows = self.documents_of(&record.row).await?;
        let submitted = Arc::new(Submitted::new(self, &record.row, &customer, rows));
        let providers = &self.ports.providers;
        let call = match providers.choose(&verification.provider, wish) {
            Choice::Ask(call) => call,
            Choice::Move { to, why } => return Ok((News::Moved { to, why }, findings)),
            Choice::Wait(until) => return Ok((News::Barred { until }, findings)),
            // The operator may have it back in the settings; until then it counts as one that is down.
            Choice::Gone => return Ok((News::Failed(ProviderError::Unreachable), findings)),
            Choice::NoOther => return Ok((News::NoOther, findings)),
        };
        let mut disclosed =
            if progress.is_none() { disclosed(call.provider(), &customer) } else { Vec::new() };
        let submission = Submission {
            verification: verification.id,
            subject: record.row.subject,
            customer,
            documents: Documents::new(submitted.files(), Arc::clone(&submitted) as _),
        };
        let news = match call.advance(&submission, progress.as_ref()).await {
            Ok(Step::Save { progress, again_in }) => News::Saved { progress, link: None, again_in },
            Ok(Step::Ask { progress, link, again_in }) => {
                News::Saved { progress, link: Some(link), again_in }
            }
            Ok(Step::Done(answer)) => News::Answered(answer),
            Err(ProviderError::Unreachable) if wish.may_move => self.unreached(verification, &wish),
            Err(error) => News::Failed(error),
        };
        if news.has_told() {
            disclosed.extend(submitted.disclosed());
            findings.disclosed = disclosed;
        }
        Ok((news, findings))
    }

    /// No connection to the provider could be made: the next one is asked, and after the last one, later, the
    /// first again.
    fn unreached(&self, verification: &Verification, wish: &Wish<'_>) -> News {
        let providers = &self.ports.providers;
        let here = &verification.provider;
        if let Some(next) = providers.after(here, wish) {
            return News::Moved { to: next.clone(), why: ProviderError::Unreachable.class() };
        }
        match providers.other_than(wish.barred).filter(|first| *first != here) {
            Some(first) => News::NoneReached { back_to: first.clone() },
            None => News::Failed(ProviderError::Unreachable),
        }
    }

    /// The verification of which this one is the second opinion.
    pub(super) async fn first_of(&self, second: &Verification) -> Result<Option<Verification>, PortFailure> {
        if second.cause != Cause::SecondOpinion {
            return Ok(None);
        }
        let all = self.ports.store.verifications(second.subject).await?;
        let is_first = |one: &Verification| {
            one.id < second.id
                && one.version == second.version
                && one.cause != Cause::SecondOpinion
                && one.state.finding().is_some()
        };
        Ok(all.into_iter().find(is_first))
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

impl Prepared {
    /// What comes with whatever news there will be.
    pub(super) fn findings(&self, kyc: &Kyc) -> Findings {
        Findings {
            own: self.own.clone(),
            disclosed: Vec::new(),
            takes_two: kyc.policy.second_opinion.takes_two(&self.customer),
        }
    }
}
