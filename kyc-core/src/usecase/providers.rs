//! The identity providers of a service, in order of preference: who is asked, and how each of them fares.

mod health;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::health::Health;
pub use self::health::{Availability, ProviderView};
use super::Kyc;
use crate::domain::actor::Actor;
use crate::domain::breaker::{BreakerPolicy, Heard, Pass};
use crate::domain::ids::{ProviderName, VerificationId};
use crate::domain::permission::{Forbidden, Permission};
use crate::ports::provider::{Progress, ProviderError, Step, Submission};
use crate::ports::{Clock, IdentityProvider};

/// One provider or more, in order of preference: the first is asked, unless it is down. How they fare is known to
/// all clones, and forgotten with the last.
#[derive(Clone)]
pub struct Providers {
    first: Arc<Listed>,
    others: Arc<[Listed]>,
}

/// A provider, and how it fares.
struct Listed {
    name: ProviderName,
    provider: Arc<dyn IdentityProvider>,
    health: Mutex<Health>,
}

impl Providers {
    /// One provider alone.
    #[must_use]
    pub fn one(provider: Arc<dyn IdentityProvider>) -> Self {
        Self::in_order(provider, Vec::new())
    }

    /// A provider, and those that are asked where it is down, in this order.
    #[must_use]
    pub fn in_order(first: Arc<dyn IdentityProvider>, others: Vec<Arc<dyn IdentityProvider>>) -> Self {
        Self { first: Arc::new(Listed::new(first)), others: others.into_iter().map(Listed::new).collect() }
    }

    /// The one that is asked first.
    #[must_use]
    pub fn first(&self) -> &dyn IdentityProvider {
        &*self.first.provider
    }

    /// Every provider, in order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &dyn IdentityProvider> {
        self.listed().map(|listed| &*listed.provider)
    }

    /// The provider of this name.
    #[must_use]
    pub fn named(&self, name: &ProviderName) -> Option<&dyn IdentityProvider> {
        self.listed().find(|listed| listed.name == *name).map(|listed| &*listed.provider)
    }

    /// The first one in order of preference that is another than this.
    pub(super) fn other_than(&self, barred: Option<&ProviderName>) -> Option<&ProviderName> {
        self.listed().map(|listed| &listed.name).find(|name| barred != Some(name))
    }

    /// Of those behind `asked` in order of preference, the first one that may be asked now.
    pub(super) fn after(&self, asked: &ProviderName, wish: &Wish<'_>) -> Option<&ProviderName> {
        let mut behind = self.listed().skip_while(|listed| listed.name != *asked).skip(1);
        behind.find(|listed| wish.allows(listed) && wish.is_admitted(listed)).map(|listed| &listed.name)
    }

    /// Who is to be asked about a verification that is at `at`.
    pub(super) fn choose<'a>(&'a self, at: &ProviderName, wish: Wish<'a>) -> Choice<'a> {
        let allowed = || self.listed().filter(|listed| wish.allows(listed));
        let refused = match allowed().find(|listed| listed.name == *at) {
            None => None,
            Some(listed) => match listed.admit(wish) {
                Ok(call) => return Choice::Ask(call),
                Err(until) => Some(until),
            },
        };
        let admitted = if wish.may_move { allowed().find(|listed| wish.is_admitted(listed)) } else { None };
        match (admitted, refused) {
            (Some(listed), Some(_)) => Choice::Move { to: listed.name.clone(), why: "breaker_open" },
            (Some(listed), None) => Choice::Move { to: listed.name.clone(), why: NOT_CONFIGURED },
            (None, Some(until)) if wish.may_move => {
                Choice::Wait(allowed().filter_map(|listed| wish.refused_until(listed)).fold(until, Ord::min))
            }
            (None, Some(until)) => Choice::Wait(until),
            (None, None) if wish.may_move => allowed().next().map_or(Choice::NoOther, |listed| {
                Choice::Move { to: listed.name.clone(), why: NOT_CONFIGURED }
            }),
            (None, None) => Choice::Gone,
        }
    }

    fn listed(&self) -> impl Iterator<Item = &Listed> {
        std::iter::once(&*self.first).chain(&*self.others)
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.listed().map(|listed| &listed.name)).finish()
    }
}

/// Why a verification leaves a provider that is no longer in the settings.
const NOT_CONFIGURED: &str = "not_configured";

/// The wish to make a call about a verification.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    /// About which.
    pub(super) of: VerificationId,
    /// Whether nobody has been told of it, so that any provider may be asked.
    pub(super) may_move: bool,
    /// The one that is not to be asked, since it has said what it knows.
    pub(super) barred: Option<&'a ProviderName>,
    pub(super) clock: &'a dyn Clock,
    pub(super) policy: &'a BreakerPolicy,
}

impl Wish<'_> {
    fn allows(&self, listed: &Listed) -> bool {
        self.barred != Some(&listed.name)
    }

    fn refused_until(&self, listed: &Listed) -> Option<Timestamp> {
        listed.health().breaker.refuses_until(self.clock.now())
    }

    fn is_admitted(&self, listed: &Listed) -> bool {
        self.refused_until(listed).is_none()
    }
}

/// Who is asked.
pub(super) enum Choice<'a> {
    /// The provider where the verification is.
    Ask(Call<'a>),
    /// Another one, once it is written that the verification is there. Else a worker that dies after the call
    /// would leave the name of one that was not asked, and two would be.
    Move { to: ProviderName, why: &'static str },
    /// Nobody before this time.
    Wait(Timestamp),
    /// The one that may have been told is no longer in the settings.
    Gone,
    /// There is no other that could be asked.
    NoOther,
}

/// A call that was admitted. Where it is dropped before its end, as in a shutdown, the breaker hears that too.
pub(super) struct Call<'a> {
    listed: &'a Listed,
    wish: Wish<'a>,
    pass: Option<Pass>,
}

impl<'a> Call<'a> {
    pub(super) fn provider(&self) -> &'a dyn IdentityProvider {
        &*self.listed.provider
    }

    /// Has the provider take the verification a step further, and takes note of how it fares.
    pub(super) async fn advance(
        mut self,
        submission: &Submission,
        progress: Option<&Progress>,
    ) -> Result<Step, ProviderError> {
        let begun = self.wish.clock.now();
        let result = self.listed.provider.advance(submission, progress).await;
        let now = self.wish.clock.now();
        let error = result.as_ref().err().copied();
        if let Some(ProviderError::HeldBack { .. }) = error {
            // There was no call.
            self.end(Heard::Nothing, |_| {});
            return result;
        }
        let heard = match error {
            Some(error) if error.is_outage() => Heard::Failed,
            Some(_) | None => Heard::Answered,
        };
        self.end(heard, |health| health.count(begun, now, error));
        result
    }

    fn end(&mut self, heard: Heard, note: impl FnOnce(&mut Health)) {
        let Some(pass) = self.pass.take() else { return };
        let Wish { of, clock, policy, .. } = self.wish;
        let mut health = self.listed.health();
        note(&mut health);
        health.breaker.hear(pass, of, heard, clock.now(), policy);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.end(Heard::Nothing, |_| {});
    }
}

impl Listed {
    fn new(provider: Arc<dyn IdentityProvider>) -> Self {
        Self { name: provider.name(), provider, health: Mutex::default() }
    }

    /// What was counted is whole between any two statements, so a panic elsewhere has not spoilt it.
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit<'a>(&'a self, wish: Wish<'a>) -> Result<Call<'a>, Timestamp> {
        let pass = self.health().breaker.ask(wish.clock.now())?;
        Ok(Call { listed: self, wish, pass: Some(pass) })
    }
}

impl Kyc {
    /// How the providers fare, in order of preference, as far as this process knows since it started. There is
    /// nothing of any customer in it.
    ///
    /// # Errors
    /// [`Forbidden`] where the actor may not see it.
    pub fn providers(&self, actor: &Actor) -> Result<Vec<ProviderView>, Forbidden> {
        actor.require(Permission::ReadProviders)?;
        let now = self.now();
        Ok(self.ports.providers.listed().map(|one| one.health().view(&one.name, now)).collect())
    }
}
