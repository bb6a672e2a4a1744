//! Where two providers have to agree: the first one's answer decides nothing, and the second one's is held
//! against it.

use super::{Findings, Step};
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::decision::{Verdict, compare};
use crate::domain::discrepancy::Code;
use crate::domain::ids::{ProviderName, VerificationId};
use crate::domain::status::Event as StatusEvent;
use crate::domain::verification::{Cause, Event, Verification};
use crate::ports::provider::Answer;
use crate::usecase::change::codes;
use crate::usecase::{Ran, Refused};

impl Step<'_> {
    /// A provider has answered: its verdict decides, or is one of two that have to agree.
    pub(super) async fn conclude(
        &self,
        verdict: Verdict,
        answer: &Answer,
        findings: &Findings,
    ) -> Result<Ran, Refused> {
        let verification = &self.record.verification;
        let is_second = verification.cause == Cause::SecondOpinion;
        let verdict = if is_second {
            self.beside_the_first(verdict).await?
        } else if findings.takes_two && verdict.decision.is_conclusive() {
            match self.kyc.ports.providers.other_than(Some(&verification.provider)) {
                Some(second) => return self.ask_another(second, verdict, answer, findings).await,
                // Nobody is decided on by one opinion where the policy asks for two.
                None => verdict.doubted(Code::NotAllChecksCompleted),
            }
        } else {
            verdict
        };
        self.complete(verdict, Some(answer), findings).await
    }

    /// The verdict of a second opinion, held against the first. Any other verdict is as it was.
    pub(super) async fn beside_the_first(&self, verdict: Verdict) -> Result<Verdict, Refused> {
        let verification = &self.record.verification;
        if verification.cause != Cause::SecondOpinion {
            return Ok(verdict);
        }
        let first = self.kyc.first_of(verification).await.map_err(Refused::Failed)?;
        let kept = first.and_then(|first| Some((first.state.finding()?, first.discrepancies)));
        Ok(match kept {
            Some((finding, discrepancies)) => compare(Verdict::kept(finding, discrepancies), verdict),
            None => verdict.doubted(Code::NotAllChecksCompleted),
        })
    }

    /// The verification ends with what was found, and the second opinion is queued in its place.
    async fn ask_another(
        &self,
        provider: &ProviderName,
        verdict: Verdict,
        answer: &Answer,
        findings: &Findings,
    ) -> Result<Ran, Refused> {
        let Ok(status) = self.record.row.status.after(StatusEvent::Queued) else { return Ok(Ran::Ignored) };
        let mut change = self.change();
        change.verification.submitted_at.get_or_insert(self.now);
        let Ok(mut ended) = change.verification.clone().ended(Event::Completed(verdict.finding), self.now)
        else {
            return Ok(Ran::Ignored);
        };
        ended.discrepancies = verdict.discrepancies;
        self.keep_answer(&mut change, answer)?;
        let next = Verification::queued(
            VerificationId::after(ended.id, self.now, self.random()?),
            ended.subject,
            ended.version,
            provider.clone(),
            Cause::SecondOpinion,
            self.now,
            self.now,
        );
        let reasons = codes(&ended.discrepancies).into_iter().map(Code::as_str);
        let completed = self.event(Action::VerificationCompleted).because(reasons);
        change.witness(completed.about(findings.disclosed.clone()));
        change.witness(
            AuditEvent::new(self.actor, Action::VerificationQueued, self.now)
                .of(next.id, &next.provider)
                .because([next.cause.as_str()])
                .moving(Some(self.record.row.status), status),
        );
        change.row.status = status;
        change.follow(ended, next);
        change.commit(self.kyc).await?;
        self.kyc.wake();
        Ok(Ran::Seconded)
    }
}
