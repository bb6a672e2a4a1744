//! The use cases over the in-memory ports.

mod access;
mod callbacks;
mod documents;
mod duplicates;
mod erasure;
mod evidence;
mod failover;
mod faults;
mod flow;
mod forgetting;
mod late;
mod ledger;
mod limits;
mod once;
mod outage;
mod retention;
mod rotation;
mod second_opinion;
mod silence;

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::SignedDuration;

use super::{Kyc, Ports, Ran, Register, Reveal, Update, Updated};
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, ChainWalk, ChainedEvent};
use crate::domain::customer::{CustomerForm, CustomerUpdate, DocumentForm, Patch};
use crate::domain::ids::{CustomerId, ProviderName};
use crate::domain::policy::Policy;
use crate::domain::status::Status;
use crate::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore, sample_customer};
use crate::ports::store::AuditReads;
use crate::usecase::{KycStatus, Providers};

/// A service over fakes, and the fakes.
struct World {
    kyc: Kyc,
    store: MemoryStore,
    provider: FakeProvider,
    clock: FakeClock,
    cipher: FakeCipher,
    entropy: FakeEntropy,
}

impl World {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        Self::over(policy, &[&FakeProvider::new()])
    }

    /// With these providers, in order of preference.
    fn over(policy: Policy, providers: &[&FakeProvider]) -> Self {
        let store = MemoryStore::new();
        let [provider, others @ ..] = providers else { panic!("a provider") };
        let others = others.iter().map(|other| Arc::new((*other).clone()) as _).collect();
        let clock = FakeClock::new();
        let cipher = FakeCipher::new();
        let entropy = FakeEntropy::new();
        let ports = Ports {
            store: Arc::new(store.clone()),
            providers: Providers::in_order(Arc::new((*provider).clone()), others),
            clock: Arc::new(clock.clone()),
            cipher: Arc::new(cipher.clone()),
            entropy: Arc::new(entropy.clone()),
        };
        let provider = (*provider).clone();
        Self { kyc: Kyc::new(ports, policy), store, provider, clock, cipher, entropy }
    }

    /// Registers the sample as customer `a`.
    fn register(&self) {
        now(self.kyc.register(&admin(), registration("a", sample_customer()))).unwrap();
    }

    fn run_due(&self) -> Vec<Ran> {
        now(self.kyc.run_due_verifications(10)).unwrap()
    }

    fn status(&self) -> KycStatus {
        now(self.kyc.status(&admin(), &a())).unwrap()
    }

    fn update(&self, change: impl FnOnce(&mut CustomerUpdate)) -> Updated {
        let mut update = CustomerUpdate::default();
        change(&mut update);
        now(self.kyc.update(&admin(), &a(), Update { update, ..Update::default() })).unwrap()
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    fn audit(&self) -> Vec<ChainedEvent> {
        let events = now(self.store.audit_events(0, 1000)).unwrap();
        let mut walk = ChainWalk::default();
        for event in &events {
            walk.step(event).unwrap();
        }
        events
    }

    fn actions(&self) -> Vec<Action> {
        self.audit().into_iter().map(|event| event.event.action).collect()
    }
}

/// The fakes never wait, so a future over them is ready at once.
#[track_caller]
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("a future over fakes is ready at once")
}

/// A provider of this name.
fn provider(name: &str) -> FakeProvider {
    FakeProvider::named(ProviderName::parse(name).unwrap())
}

fn admin() -> Actor {
    Actor::admin("test").unwrap()
}

fn a() -> CustomerId {
    CustomerId::parse("a").unwrap()
}

fn registration(id: &str, form: CustomerForm) -> Register {
    Register { customer_id: Some(id.to_owned()), form, ..Register::default() }
}

fn passport(number: &str) -> DocumentForm {
    DocumentForm {
        document_type: text("passport"),
        number: text(number),
        issuing_country: text("GB"),
        expires_on: text("2031-05-01"),
        ..DocumentForm::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the forms take options")]
fn text(text: &str) -> Option<Secret<String>> {
    Some(text.into())
}

fn set(text: &str) -> Patch<Secret<String>> {
    Patch::Set(text.into())
}

const VERIFIED: Status = Status::Verified { valid_until: None };
