//! Record what a provider said: the one place where news about a verification becomes a change.
//!
//! News may be late, doubled or out of order. A verification that has ended stays as it is (I3): its
//! answer is kept as evidence, and changes nothing.

mod later;
mod opinion;

use std::time::Duration;

use jiff::Timestamp;

use self::later::Miss;

use super::change::{Change, codes};
use super::sealing::{Place, seal};
use super::{Kyc, PortFailure, ROUNDS, Ran, Refused};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::decision::{Verdict, judge};
use crate::domain::discrepancy::{Code, Discrepancy};
use crate::domain::field::Field;
use crate::domain::ids::{ProviderName, VerificationId};
use crate::domain::status::Event as StatusEvent;
use crate::domain::verification::Event;
use crate::ports::Cipher;
use crate::ports::cipher::{DigestPurpose, Digests, Sealed};
use crate::ports::provider::{Answer, Outcome, Progress, ProviderError, Reference};
use crate::ports::store::{Conflict, Lease, VerificationRecord, Write};

/// Why an answer was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// No verification at this provider has this id.
    #[error("no verification at this provider has this id")]
    Unknown,
    /// A port failed.
    #[error(transparent)]
    Failed(#[from] PortFailure),
}

/// What was learned about a verification.
#[derive(Clone)]
pub(super) enum News {
    /// The provider has it.
    Saved { progress: Progress, link: Option<Secret<String>>, again_in: Option<Duration> },
    /// The provider answered.
    Answered(Answer),
    /// The call failed.
    Failed(ProviderError),
    /// Nothing has left this machine, none of the providers behind this one could be reached either, and later
    /// the first is asked again.
    NoneReached { back_to: ProviderName },
    /// Nothing has left this machine, and this provider is to be asked at once.
    Moved { to: ProviderName, why: &'static str },
    /// The provider is down, and is called no more until then.
    Barred { until: Timestamp },
    /// There is no other provider that could give a second opinion.
    NoOther,
    /// Our own rules decide.
    Settled,
    /// What was sealed does not open.
    Unreadable,
}

impl News {
    /// Whether the provider may know of the verification by what brought this news.
    pub(super) const fn has_told(&self) -> bool {
        match self {
            Self::Saved { .. } | Self::Answered(_) => true,
            Self::Failed(error) => error.may_have_arrived(),
            Self::NoneReached { .. }
            | Self::Moved { .. }
            | Self::Barred { .. }
            | Self::NoOther
            | Self::Settled
            | Self::Unreadable => false,
        }
    }
}

/// What a worker holds a verification by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The lease.
    pub(super) lease: Lease,
    /// Whether the provider may have been told before the worker took it. The store says yes from the claim on, so
    /// that a death counts as a call; what has told nobody puts it back.
    pub(super) attempted: bool,
}

/// What comes with the news.
#[derive(Clone, Default)]
pub(super) struct Findings {
    /// What our own rules found.
    pub(super) own: Vec<Discrepancy>,
    /// The fields that were sent to the provider to get the news.
    pub(super) disclosed: Vec<Field>,
    /// Whether the policy asks for two opinions on the customer.
    pub(super) takes_two: bool,
}

impl Kyc {
    /// Records a provider's answer that came by itself, such as in a callback that
    /// [`read_callback`](crate::ports::IdentityProvider::read_callback) has authenticated.
    ///
    /// It is a part of the system that acts, and no account: who may do this can verify anybody.
    ///
    /// An answer to a verification that has ended is [`Ran::Ignored`]: late, doubled and out-of-order
    /// answers change nothing.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record_answer(
        &self,
        provider: &ProviderName,
        id: VerificationId,
        answer: Answer,
    ) -> Result<Ran, RecordError> {
        let record = self.ports.store.verification(id).await.map_err(PortFailure::from)?;
        let record = record.filter(|record| record.verification.provider == *provider);
        let record = record.ok_or(RecordError::Unknown)?;
        Ok(self.answered(record, answer).await?)
    }

    /// Records an answer that came by itself.
    pub(super) async fn answered(
        &self,
        record: VerificationRecord,
        answer: Answer,
    ) -> Result<Ran, PortFailure> {
        let findings = self.prepare(&record)?.findings(self);
        let actor = Actor::system("callback");
        self.record(&actor, record, None, News::Answered(answer), findings).await
    }

    /// Makes a change of the news and commits it, and decides again where the customer has changed since.
    pub(super) async fn record(
        &self,
        actor: &Actor,
        mut record: VerificationRecord,
        held: Option<Held>,
        news: News,
        findings: Findings,
    ) -> Result<Ran, PortFailure> {
        for _ in 0..ROUNDS {
            let before = held.map_or(record.verification.attempted, |held| held.attempted);
            let step = Step {
                kyc: self,
                actor,
                record: &record,
                lease: held.map(|held| held.lease),
                attempted: before || news.has_told(),
                now: self.now(),
            };
            let committed = if record.verification.state.is_open() {
                step.apply(&news, &findings).await
            } else {
                step.ignore(&news, &findings).await
            };
            match committed {
                Ok(ran) => return Ok(ran),
                Err(Refused::Conflict(Conflict::LeaseLost)) => return Ok(Ran::LeaseLost),
                Err(Refused::Conflict(
                    Conflict::Revision
                    | Conflict::CustomerIdTaken
                    | Conflict::IdempotencyKeyTaken
                    | Conflict::Erased,
                )) => {}
                Err(Refused::Failed(failure)) => return Err(failure),
            }
            let Some(now_there) = self.ports.store.verification(record.verification.id).await? else {
                return Ok(Ran::Erased);
            };
            record = now_there;
        }
        Err(PortFailure::Contended)
    }
}

/// The keyed digests of a provider's own id of a verification.
pub(super) fn references(cipher: &dyn Cipher, provider: &ProviderName, reference: &Reference) -> Digests {
    let parts = [provider.as_str().as_bytes(), reference.expose().as_bytes()];
    cipher.digests(DigestPurpose::ProviderReference, &parts)
}

/// One try to record news about one verification.
struct Step<'a> {
    kyc: &'a Kyc,
    actor: &'a Actor,
    record: &'a VerificationRecord,
    lease: Option<Lease>,
    /// Whether the provider may know of it, by this news or by what came before.
    attempted: bool,
    now: Timestamp,
}

impl<'a> Step<'a> {
    /// News about an open verification.
    async fn apply(&self, news: &News, findings: &Findings) -> Result<Ran, Refused> {
        match news {
            News::Saved { progress, link, again_in } => {
                let again_in = again_in.unwrap_or_else(|| self.look_again());
                if self.now < self.deadline() {
                    return self.save(progress, link.as_ref(), again_in, &findings.disclosed).await;
                }
                let code = if link.is_some() { Code::SessionAbandoned } else { Code::ProviderUnavailable };
                self.give_up(code, findings).await
            }
            News::Answered(answer) => {
                let provider = &self.record.verification.provider;
                let theirs = answer
                    .discrepancies
                    .iter()
                    .cloned()
                    .map(|found| Discrepancy { provider: Some(provider.clone()), ..found });
                let all = findings.own.iter().cloned().chain(theirs).collect();
                let verdict = judge(answer.outcome, all, self.kyc.policy(), self.now);
                self.conclude(verdict, answer, findings).await
            }
            News::Settled => {
                let verdict = judge(Outcome::Consider, findings.own.clone(), self.kyc.policy(), self.now);
                self.complete(verdict, None, findings).await
            }
            News::Failed(ProviderError::Refused) | News::NoOther => {
                self.give_up(Code::NotAllChecksCompleted, findings).await
            }
            News::Failed(ProviderError::RateLimited { retry_after }) => {
                let failures = self.record.verification.failures;
                let delay = match retry_after {
                    Some(delay) => *delay,
                    None => self.backoff(failures + 1)?,
                };
                let miss = Miss::of("rate_limited", Code::ProviderUnavailable);
                self.defer(failures, delay, miss, findings).await
            }
            News::Failed(ProviderError::HeldBack { retry_after }) => {
                self.hold_back(*retry_after, findings).await
            }
            News::Failed(error @ (ProviderError::Unreachable | ProviderError::Transient)) => {
                self.count_failure(Miss::of(error.class(), Code::ProviderUnavailable), findings).await
            }
            News::Failed(error @ ProviderError::Malformed) => {
                self.count_failure(Miss::of(error.class(), Code::UnknownResult), findings).await
            }
            News::NoneReached { back_to } => {
                let miss = Miss::of(ProviderError::Unreachable.class(), Code::ProviderUnavailable);
                self.count_failure(Miss { back_to: Some(back_to), ..miss }, findings).await
            }
            News::Moved { to, why } => self.go_to(to, why).await,
            News::Barred { until } => self.wait(*until, findings).await,
            News::Unreadable => {
                self.count_failure(Miss::of("unreadable", Code::NotAllChecksCompleted), findings).await
            }
        }
    }

    /// The provider has it: keep where it stands, and when to look again.
    async fn save(
        &self,
        progress: &Progress,
        link: Option<&Secret<String>>,
        again_in: Duration,
        disclosed: &[Field],
    ) -> Result<Ran, Refused> {
        let event = match link {
            Some(_) => StatusEvent::CustomerAsked,
            None => StatusEvent::Submitted,
        };
        let Ok(status) = self.record.row.status.after(event) else { return Ok(Ran::Ignored) };
        let Ok(state) = self.record.verification.state.after(Event::Submitted) else {
            return Ok(Ran::Ignored);
        };
        let mut change = self.change();
        let id = change.verification.id;
        let bytes = Secret::new(progress.expose().to_vec());
        change.verification.progress = Some(self.seal(&mut change, Place::Progress(id), &bytes)?);
        change.verification.link = match link {
            None => None,
            Some(link) => {
                let bytes = Secret::new(link.expose().clone().into_bytes());
                Some(self.seal(&mut change, Place::Link(id), &bytes)?)
            }
        };
        change.verification.reference = self.reference(progress);
        change.verification.state = state;
        change.verification.failures = 0;
        change.verification.submitted_at.get_or_insert(self.now);
        // A provider may name a time past the end; there is one last look at the end, and a callback may come first.
        change.verification.due_at = Some(self.later(again_in).min(self.deadline()));
        change.row.status = status;
        // A look that finds the provider still at work is no change of state, and discloses nothing.
        let moved = status != self.record.row.status || state != self.record.verification.state;
        if moved || !disclosed.is_empty() {
            let action = match link {
                Some(_) => Action::VerificationCustomerAsked,
                None => Action::VerificationSubmitted,
            };
            let event = self.event(action).moving(Some(self.record.row.status), status);
            change.witness(event.about(disclosed.to_vec()));
        }
        change.commit(self.kyc).await?;
        Ok(Ran::Saved)
    }

    /// There is a verdict: it is the end, unless another customer shares what only one should have.
    async fn complete(
        &self,
        verdict: Verdict,
        answer: Option<&Answer>,
        findings: &Findings,
    ) -> Result<Ran, Refused> {
        let duplicates = self.kyc.duplicates(self.record).await.map_err(Refused::Failed)?;
        let verdict = verdict.beside(duplicates);
        self.end(Event::Completed(verdict.finding), verdict, answer, findings).await
    }

    /// The verification ends.
    async fn end(
        &self,
        event: Event,
        verdict: Verdict,
        answer: Option<&Answer>,
        findings: &Findings,
    ) -> Result<Ran, Refused> {
        let Verdict { discrepancies, decision, .. } = verdict;
        let Ok(status) = self.record.row.status.after(StatusEvent::Decided(decision)) else {
            return Ok(Ran::Ignored);
        };
        let mut change = self.change();
        if answer.is_some() {
            change.verification.submitted_at.get_or_insert(self.now);
        }
        let Ok(mut ended) = change.verification.clone().ended(event, self.now) else {
            return Ok(Ran::Ignored);
        };
        ended.discrepancies = discrepancies;
        change.verification = ended;
        if let Some(answer) = answer {
            self.keep_answer(&mut change, answer)?;
        }
        change.row.status = status;
        change.row.decided_at = decision.is_conclusive().then_some(self.now);
        if decision.is_conclusive() {
            change.count_decision();
        }
        let reasons = codes(&change.verification.discrepancies).into_iter().map(Code::as_str);
        let event = self
            .event(Action::VerificationDecided)
            .because(reasons)
            .moving(Some(self.record.row.status), status)
            .about(findings.disclosed.clone());
        change.witness(event);
        change.commit(self.kyc).await?;
        Ok(Ran::Decided(decision))
    }

    /// News about a verification that has ended: keep the evidence, change nothing.
    async fn ignore(&self, news: &News, findings: &Findings) -> Result<Ran, Refused> {
        let mut change = self.change();
        let id = change.verification.id;
        match news {
            News::Answered(answer) => {
                let known = self.kyc.ports.store.answer(id).await;
                if known.map_err(|error| Refused::Failed(error.into()))?.is_none() {
                    self.keep_answer(&mut change, answer)?;
                }
            }
            // What the provider holds has to be known for as long as it may have to be forgotten.
            News::Saved { progress, .. } => {
                let bytes = Secret::new(progress.expose().to_vec());
                change.verification.progress = Some(self.seal(&mut change, Place::Progress(id), &bytes)?);
                change.verification.reference = self.reference(progress);
            }
            News::Failed(_)
            | News::NoneReached { .. }
            | News::Moved { .. }
            | News::Barred { .. }
            | News::NoOther
            | News::Settled
            | News::Unreadable => {}
        }
        // Without the lease nobody can say what others have told the provider meanwhile.
        change.verification.attempted = self.attempted || self.record.verification.attempted;
        let event =
            self.event(Action::AnswerIgnored).because([self.record.verification.state.kind().as_str()]);
        change.witness(event.about(findings.disclosed.clone()));
        // The lease is left out: what it guards has ended, and its holder may well have been overtaken.
        change.under(None).commit(self.kyc).await?;
        Ok(Ran::Ignored)
    }

    fn change(&self) -> Change<'a> {
        let mut change = Change::of(&self.record.row, &self.record.verification, self.now).under(self.lease);
        change.verification.attempted = self.attempted;
        change
    }

    fn event(&self, action: Action) -> AuditEvent {
        let verification = &self.record.verification;
        AuditEvent::new(self.actor, action, self.now).of(verification.id, &verification.provider)
    }

    fn seal(
        &self,
        change: &mut Change<'_>,
        place: Place,
        bytes: &Secret<Vec<u8>>,
    ) -> Result<Sealed, Refused> {
        seal(&*self.kyc.ports.cipher, &mut change.row, place, bytes)
            .map_err(|error| Refused::Failed(error.into()))
    }

    /// What callbacks are understood by, as it is kept.
    fn reference(&self, progress: &Progress) -> Option<[u8; 32]> {
        let provider = &self.record.verification.provider;
        let digests = references(&*self.kyc.ports.cipher, provider, progress.reference()?);
        Some(digests.current)
    }

    fn keep_answer(&self, change: &mut Change<'_>, answer: &Answer) -> Result<(), Refused> {
        let verification = change.verification.id;
        let answer = self.seal(change, Place::Answer(verification), &answer.raw)?;
        change.write(Write::PutAnswer { verification, answer, at: self.now });
        Ok(())
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], Refused> {
        Ok(self.kyc.random()?)
    }
}
