//! News that nothing has come of yet: asked again later, asked of another provider, or given up.

use std::time::Duration;

use jiff::Timestamp;

use super::{Findings, Step};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::decision::{Verdict, route};
use crate::domain::discrepancy::{Code, Discrepancy};
use crate::domain::ids::ProviderName;
use crate::domain::schedule::jitter;
use crate::domain::verification::{Event, Finding};
use crate::usecase::{Ran, Refused};

/// A call that brought no answer.
pub(super) struct Miss<'a> {
    /// Why, in one word.
    pub(super) class: &'static str,
    /// What a person is told when it was the last.
    pub(super) last: Code,
    /// The provider that is asked next time, where it is another.
    pub(super) back_to: Option<&'a ProviderName>,
}

impl Miss<'_> {
    pub(super) const fn of(class: &'static str, last: Code) -> Self {
        Self { class, last, back_to: None }
    }
}

impl Step<'_> {
    /// A call failed: try again, or have a person decide after the last try.
    pub(super) async fn count_failure(&self, miss: Miss<'_>, findings: &Findings) -> Result<Ran, Refused> {
        let failures = self.record.verification.failures + 1;
        if failures >= self.kyc.policy().retry.tries {
            return self.give_up(miss.last, findings).await;
        }
        let delay = self.backoff(failures)?;
        self.defer(failures, delay, miss, findings).await
    }

    pub(super) async fn defer(
        &self,
        failures: u32,
        delay: Duration,
        miss: Miss<'_>,
        findings: &Findings,
    ) -> Result<Ran, Refused> {
        if self.is_given_up(delay) {
            return self.give_up(miss.last, findings).await;
        }
        let mut change = self.change();
        change.verification.failures = failures;
        change.verification.due_at = Some(self.later(delay));
        let event = self.event(Action::VerificationDeferred).because([miss.class]);
        change.witness(event.about(findings.disclosed.clone()));
        if let Some(next) = miss.back_to {
            change.witness(self.moved(next, miss.class));
            change.verification.provider = next.clone();
        }
        change.commit(self.kyc).await?;
        Ok(Ran::Deferred)
    }

    /// The provider is known to be down until then, so it was not called, and no try is counted. The jitter, of
    /// half the wait, keeps those who wait from coming back together.
    pub(super) async fn wait(&self, until: Timestamp, findings: &Findings) -> Result<Ran, Refused> {
        const LEAST: Duration = Duration::from_millis(500);
        let left = Duration::try_from(until.duration_since(self.now)).unwrap_or_default().max(LEAST);
        let jitter = jitter(left / 2, u64::from_be_bytes(self.random()?));
        let delay = left + jitter;
        if self.is_given_up(delay) {
            return self.give_up(Code::ProviderUnavailable, findings).await;
        }
        let mut change = self.change();
        let is_first = change.verification.due_at == Some(change.verification.scheduled_for);
        change.verification.due_at = Some(self.later(delay));
        // Who was put off before has an event that says so, and an outage of hours needs no more of them.
        if is_first {
            change.witness(self.event(Action::VerificationDeferred).because(["breaker_open"]));
        }
        change.commit(self.kyc).await?;
        Ok(Ran::Waiting)
    }

    /// Our own cap on calls of the provider is reached, so that it was not called: no try is counted, and there is no
    /// event, since nothing has happened and a backlog would write one for each.
    pub(super) async fn hold_back(&self, delay: Duration, findings: &Findings) -> Result<Ran, Refused> {
        if self.is_given_up(delay) {
            return self.give_up(Code::ProviderUnavailable, findings).await;
        }
        let mut change = self.change();
        change.verification.due_at = Some(self.later(delay));
        change.commit(self.kyc).await?;
        Ok(Ran::Waiting)
    }

    /// Another provider is asked, at once: by the next worker, which finds its name in the store. Were it asked
    /// before that is written, a death in between would have the one before asked as well.
    pub(super) async fn go_to(&self, next: &ProviderName, why: &'static str) -> Result<Ran, Refused> {
        let mut change = self.change();
        change.witness(self.moved(next, why));
        change.verification.provider = next.clone();
        change.verification.due_at = Some(self.now);
        change.commit(self.kyc).await?;
        self.kyc.wake();
        Ok(Ran::Moved)
    }

    fn moved(&self, next: &ProviderName, why: &'static str) -> AuditEvent {
        let verification = &self.record.verification;
        self.event(Action::VerificationMoved)
            .of(verification.id, next)
            .away_from(&verification.provider)
            .because([why])
    }

    /// No answer can be had: a person decides (I4).
    pub(super) async fn give_up(&self, code: Code, findings: &Findings) -> Result<Ran, Refused> {
        let mut discrepancies = findings.own.clone();
        discrepancies.push(Discrepancy {
            provider: Some(self.record.verification.provider.clone()),
            ..Discrepancy::of(code)
        });
        let decision = route(&discrepancies);
        let verdict = Verdict { finding: Finding::Consider, discrepancies, decision };
        let verdict = self.beside_the_first(verdict).await?;
        self.end(Event::GivenUp, verdict, None, findings).await
    }

    pub(super) fn backoff(&self, failures: u32) -> Result<Duration, Refused> {
        let random = u64::from_be_bytes(self.random()?);
        Ok(self.kyc.policy().retry.delay(failures, random))
    }

    /// When to look again at what the provider has.
    pub(super) fn look_again(&self) -> Duration {
        let since = self.record.verification.submitted_at.unwrap_or(self.now);
        self.kyc.policy().polling.interval(self.now.duration_since(since))
    }

    pub(super) fn later(&self, delay: Duration) -> Timestamp {
        self.now.saturating_add(delay).unwrap_or(Timestamp::MAX)
    }

    /// When the verification has been open for as long as the policy allows.
    pub(super) fn deadline(&self) -> Timestamp {
        let limit = self.kyc.policy().retry.give_up_after;
        self.record.verification.scheduled_for.saturating_add(limit).unwrap_or(Timestamp::MAX)
    }

    /// Whether the verification would be open for longer than the policy allows.
    pub(super) fn is_given_up(&self, delay: Duration) -> bool {
        self.later(delay) > self.deadline()
    }
}
