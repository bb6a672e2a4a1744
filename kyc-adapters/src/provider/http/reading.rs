//! What an answer means. Whatever is not understood verifies nobody.

use std::str::FromStr;
use std::time::Duration;

use kyc_core::Secret;
use kyc_core::domain::discrepancy::{Code, Discrepancy, ProviderCode};
use kyc_core::domain::ids::{ProviderName, VerificationId};
use kyc_core::ports::provider::{Answer, Outcome};

use super::super::link::is_link;
use super::wire::{VerificationState, WireDiscrepancy, state};

/// When to look again where the provider does not say.
const DEFAULT_POLL: Duration = Duration::from_secs(5);
/// The soonest that a provider may ask for: each look is a commit of ours.
const MIN_POLL: Duration = Duration::from_millis(200);
/// The latest, so that a provider's slip of units does not park a verification for weeks.
const MAX_POLL: Duration = Duration::from_hours(1);
/// The longest event id, in characters.
const MAX_EVENT_ID: usize = 64;

/// Where a verification stands at the provider.
#[derive(Debug)]
pub(super) enum Standing {
    Processing { again_in: Duration },
    AwaitingCustomer { link: Secret<String>, again_in: Duration },
    Done(Answer),
}

/// A genuine body that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What a callback says.
pub(super) struct Told {
    /// What tells it from other callbacks.
    pub(super) event: Secret<String>,
    pub(super) verification: VerificationId,
    pub(super) standing: Standing,
}

/// What a body is read for.
pub(super) struct Reader<'a> {
    /// The provider whose findings these are.
    pub(super) provider: &'a ProviderName,
    /// Whether links over plain HTTP are taken, to loopback only.
    pub(super) loopback_links: bool,
}

impl Reader<'_> {
    /// Reads an answer about `verification`.
    pub(super) fn answer(
        &self,
        verification: VerificationId,
        body: &Secret<Vec<u8>>,
    ) -> Result<Standing, Unreadable> {
        let (told, standing) = self.read(body, parse(body)?)?;
        if told == verification { Ok(standing) } else { Err(Unreadable) }
    }

    /// Reads a callback.
    pub(super) fn callback(&self, body: &Secret<Vec<u8>>) -> Result<Told, Unreadable> {
        let mut told = parse(body)?;
        let event = Secret::new(told.event_id.take().unwrap_or_default());
        if !(1..=MAX_EVENT_ID).contains(&event.expose().chars().count()) {
            return Err(Unreadable);
        }
        let (verification, standing) = self.read(body, told)?;
        Ok(Told { event, verification, standing })
    }

    fn read(
        &self,
        body: &Secret<Vec<u8>>,
        told: VerificationState,
    ) -> Result<(VerificationId, Standing), Unreadable> {
        // The link is a secret from its first moment on, whatever becomes of the rest.
        let link = told.link.map(Secret::new);
        let verification = VerificationId::parse(&told.verification_id).map_err(|_| Unreadable)?;
        let again_in =
            told.poll_after_ms.map_or(DEFAULT_POLL, |ms| Duration::from_millis(ms).clamp(MIN_POLL, MAX_POLL));
        let standing = match told.state.as_str() {
            state::PROCESSING => Standing::Processing { again_in },
            state::AWAITING_CUSTOMER => match link {
                Some(link) if is_link(link.expose(), self.loopback_links) => {
                    Standing::AwaitingCustomer { link, again_in }
                }
                Some(_) | None => return Err(Unreadable),
            },
            state::DONE => {
                let outcome = told.outcome.as_deref().map_or(Outcome::Unknown, known_or_unknown);
                Standing::Done(self.conclude(outcome, told.discrepancies, body)?)
            }
            // A state that nobody knows may be final, and polling it for ever would lose the verification.
            _ => Standing::Done(self.conclude(Outcome::Unknown, told.discrepancies, body)?),
        };
        Ok((verification, standing))
    }

    fn conclude(
        &self,
        outcome: Outcome,
        told: Option<Vec<WireDiscrepancy>>,
        body: &Secret<Vec<u8>>,
    ) -> Result<Answer, Unreadable> {
        let told = told.unwrap_or_default();
        if told.len() > Answer::MAX_DISCREPANCIES {
            return Err(Unreadable);
        }
        let unknown_code = told.iter().any(|one| Code::from_str(&one.code).is_err());
        // What did not fit is beyond us, so we can't know that the person is clear of it.
        let outcome = if unknown_code && outcome == Outcome::Clear { Outcome::Unknown } else { outcome };
        let discrepancies = told.iter().map(|one| self.discrepancy(one)).collect();
        let kept = body.expose().iter().copied().take(Answer::MAX_RAW_BYTES).collect();
        Ok(Answer { outcome, discrepancies, raw: Secret::new(kept) })
    }

    fn discrepancy(&self, told: &WireDiscrepancy) -> Discrepancy {
        let (code, provider_code) = match Code::from_str(&told.code) {
            Ok(code) => (code, told.provider_code.as_deref().and_then(ProviderCode::sanitised)),
            Err(_) => (Code::UnknownResult, ProviderCode::sanitised(&told.code)),
        };
        let by_default = Discrepancy::of(code);
        Discrepancy {
            code,
            field: told.field.as_deref().and_then(|word| word.parse().ok()).or(by_default.field),
            severity: told
                .severity
                .as_deref()
                .and_then(|word| word.parse().ok())
                .unwrap_or(by_default.severity),
            provider: Some(self.provider.clone()),
            provider_code,
        }
    }
}

fn parse(body: &Secret<Vec<u8>>) -> Result<VerificationState, Unreadable> {
    serde_json::from_slice(body.expose()).map_err(|_| Unreadable)
}

fn known_or_unknown(word: &str) -> Outcome {
    word.parse().unwrap_or(Outcome::Unknown)
}
