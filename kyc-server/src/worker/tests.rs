//! The workers, over the in-memory ports and a provider that a test holds back.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::customer::CustomerForm;
use kyc_core::domain::field::Field;
use kyc_core::domain::ids::{CustomerId, ProviderName, VerificationId};
use kyc_core::domain::policy::Policy;
use kyc_core::domain::status::Status;
use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore, sample_customer};
use kyc_core::ports::IdentityProvider;
use kyc_core::ports::provider::{
    Callback, CallbackError, CallbackNews, Forgotten, Outcome, Progress, ProviderError, Step, Submission,
};
use kyc_core::ports::store::StoreError;
use kyc_core::usecase::{Ports, Providers, Register};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

/// A provider whose calls wait for the gate, and which counts those that wait.
#[derive(Clone)]
struct Gated {
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    panics: bool,
}

impl Gated {
    fn new(open: usize) -> Self {
        Self {
            gate: Arc::new(Semaphore::new(open)),
            waiting: Arc::default(),
            most: Arc::default(),
            panics: false,
        }
    }
}

#[async_trait]
impl IdentityProvider for Gated {
    fn name(&self) -> ProviderName {
        ProviderName::parse("gated").unwrap()
    }

    fn discloses(&self) -> Vec<Field> {
        Vec::new()
    }

    async fn advance<'a>(
        &self,
        submission: &'a Submission,
        _progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        assert!(!(self.panics && submission.customer.name().expose() == "Panic"), "as the test wants it");
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Ok(FakeProvider::done(Outcome::Clear, Vec::new()))
    }

    fn read_callback(&self, _callback: &Callback) -> Result<CallbackNews, CallbackError> {
        Err(CallbackError::Unsupported)
    }

    async fn forget<'a>(
        &self,
        _: VerificationId,
        _: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        Ok(Forgotten::Unsupported)
    }
}

struct World {
    kyc: Kyc,
    store: MemoryStore,
    clock: FakeClock,
    provider: Gated,
    pulse: Pulse,
    stop: oneshot::Sender<()>,
    workers: JoinHandle<()>,
}

/// Workers that look at the queue by themselves only every `poll`.
fn start(provider: Gated, in_flight: u32, poll: Duration) -> World {
    let (store, clock) = (MemoryStore::new(), FakeClock::new());
    let ports = Ports {
        store: Arc::new(store.clone()),
        providers: Providers::one(Arc::new(provider.clone())),
        clock: Arc::new(clock.clone()),
        cipher: Arc::new(FakeCipher::new()),
        entropy: Arc::new(FakeEntropy::new()),
    };
    let pulse = Pulse::default();
    let wake = pulse.clone();
    let kyc = Kyc::new(ports, Policy::default()).on_queued(move || wake.wake());
    let (stop, stopped) = oneshot::channel();
    let settings = WorkerSettings { in_flight, poll, grace: Duration::from_secs(20) };
    let shutdown = async move { drop(stopped.await) };
    let workers = tokio::spawn(work(kyc.clone(), Arc::new(clock.clone()), pulse.clone(), settings, shutdown));
    World { kyc, store, clock, provider, pulse, stop, workers }
}

const NEVER: Duration = Duration::from_hours(1);

impl World {
    async fn register(&self, id: &str, name: &str) {
        // Each id is a person of its own.
        let mut form = form(name);
        form.date_of_birth =
            Some(format!("1990-12-{}", 10 + id.len() + usize::from(id.as_bytes()[0] % 16)).into());
        if let Some(document) = &mut form.identity_document {
            document.number = Some(id.into());
        }
        let request = Register { customer_id: Some(id.into()), form, ..Register::default() };
        self.kyc.register(&Actor::admin("test").unwrap(), request).await.unwrap();
    }

    async fn is_verified(&self, id: &str) -> bool {
        let id = CustomerId::parse(id).unwrap();
        let status = self.kyc.status(&Actor::admin("test").unwrap(), &id).await.unwrap();
        matches!(status.status, Status::Verified { .. })
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.workers.await.unwrap();
    }
}

/// Lets the others go on until `done`; the bound only ends a test that has failed.
async fn until(mut done: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waited).await.expect("it should have happened by now");
}

fn form(name: &str) -> CustomerForm {
    CustomerForm { name: Some(name.into()), ..sample_customer() }
}

#[tokio::test]
async fn a_registration_wakes_workers_that_would_sleep_for_an_hour() {
    let world = start(Gated::new(9), 4, NEVER);
    until(async || world.pulse.is_alive()).await;
    world.register("a", "Ada Lovelace").await;
    until(async || world.is_verified("a").await).await;
    world.stop().await;
}

#[tokio::test]
async fn a_lost_wake_up_is_made_up_for_by_the_poll() {
    let world = start(Gated::new(9), 4, Duration::from_millis(1));
    // A handle of another process: nobody is woken by it.
    let silent = Kyc::new(
        Ports {
            store: Arc::new(world.store.clone()),
            providers: Providers::one(Arc::new(world.provider.clone())),
            clock: Arc::new(world.clock.clone()),
            cipher: Arc::new(FakeCipher::new()),
            entropy: Arc::new(FakeEntropy::seeded(7)),
        },
        Policy::default(),
    );
    let request =
        Register { customer_id: Some("a".into()), form: form("Ada Lovelace"), ..Register::default() };
    silent.register(&Actor::admin("test").unwrap(), request).await.unwrap();
    until(async || world.is_verified("a").await).await;
    world.stop().await;
}

#[tokio::test]
async fn no_more_are_in_flight_than_the_setting_allows() {
    let world = start(Gated::new(0), 3, NEVER);
    for id in ["a", "b", "c", "d", "e", "f"] {
        world.register(id, "Ada Lovelace").await;
    }
    until(async || world.provider.waiting.load(Ordering::SeqCst) == 3).await;
    world.provider.gate.add_permits(6);
    for id in ["a", "b", "c", "d", "e", "f"] {
        until(async || world.is_verified(id).await).await;
    }
    assert_eq!(world.provider.most.load(Ordering::SeqCst), 3);
    world.stop().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_in_flight_and_takes_nothing_more() {
    let world = start(Gated::new(0), 1, NEVER);
    world.register("a", "Ada Lovelace").await;
    world.register("b", "Ada Lovelace").await;
    until(async || world.provider.waiting.load(Ordering::SeqCst) == 1).await;
    let World { kyc, stop, workers, provider, store, clock, pulse } = world;
    stop.send(()).unwrap();
    provider.gate.add_permits(9);
    workers.await.unwrap();
    let (idle, _) = oneshot::channel();
    let world = World { kyc, store, clock, provider, pulse, stop: idle, workers: tokio::spawn(async {}) };
    assert!(world.is_verified("a").await);
    assert!(!world.is_verified("b").await);
}

#[tokio::test]
async fn a_panic_ends_one_verification_and_not_the_workers() {
    let world = start(Gated { panics: true, ..Gated::new(9) }, 1, NEVER);
    world.register("a", "Panic").await;
    world.register("b", "Ada Lovelace").await;
    until(async || world.is_verified("b").await).await;
    assert!(!world.is_verified("a").await, "its lease runs out later");
    world.stop().await;
}

#[tokio::test]
async fn workers_outlive_a_store_that_fails() {
    let world = start(Gated::new(9), 4, Duration::from_millis(1));
    world.register("a", "Ada Lovelace").await;
    until(async || world.is_verified("a").await).await;
    world.store.fail_with(Some(StoreError::Unavailable));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    world.store.fail_with(None);
    world.register("b", "Ada Lovelace").await;
    until(async || world.is_verified("b").await).await;
    world.stop().await;
}
