//! Tests of the caps over a fake provider: in the tests' own time, without a sleep.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use kyc_core::Kyc;
use kyc_core::contract::provider::submission;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::policy::Policy;
use kyc_core::fakes::{FakeCipher, FakeClock, FakeEntropy, FakeProvider, MemoryStore, sample_customer};
use kyc_core::usecase::{Ports, Providers, Register};
use tokio::sync::Notify;

use super::*;

/// A provider whose calls last until they are let go.
#[derive(Default)]
struct Gated {
    fake: FakeProvider,
    begun: Notify,
    go_on: Notify,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

#[async_trait]
impl IdentityProvider for Gated {
    fn name(&self) -> ProviderName {
        self.fake.name()
    }

    fn discloses(&self) -> Vec<Field> {
        self.fake.discloses()
    }

    async fn advance<'a>(
        &self,
        of: &'a Submission,
        progress: Option<&'a Progress>,
    ) -> Result<Step, ProviderError> {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        self.begun.notify_one();
        self.go_on.notified().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.fake.advance(of, progress).await
    }

    fn read_callback(&self, callback: &Callback) -> Result<CallbackNews, CallbackError> {
        self.fake.read_callback(callback)
    }

    async fn forget<'a>(
        &self,
        verification: VerificationId,
        progress: Option<&'a Progress>,
    ) -> Result<Forgotten, ProviderError> {
        self.fake.forget(verification, progress).await
    }
}

fn caps(concurrency: u32, per_minute: u32, patience: Duration) -> Caps {
    Caps { concurrency: NonZeroU32::new(concurrency), per_minute: NonZeroU32::new(per_minute), patience }
}

fn capped(caps: Caps) -> (Arc<Gated>, Arc<Capped>) {
    let gated = Arc::new(Gated::default());
    let capped = Capped::new(Arc::clone(&gated) as _, caps, Arc::new(FakeClock::new()));
    (gated, Arc::new(capped))
}

fn held_back(result: Result<Step, ProviderError>) -> Duration {
    match result {
        Err(ProviderError::HeldBack { retry_after }) => retry_after,
        other => panic!("not held back: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_waits_for_a_place_and_goes_when_one_is_free() {
    let (gated, capped) = capped(caps(1, 0, Duration::from_mins(1)));
    let call = |n| {
        let capped = Arc::clone(&capped);
        tokio::spawn(async move { capped.advance(&submission(n), None).await })
    };
    let first = call(1);
    gated.begun.notified().await;
    let others = [call(2), call(3)];
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gated.at_once.load(Ordering::SeqCst), 1);
    gated.go_on.notify_one();
    first.await.unwrap().unwrap();
    for _ in &others {
        gated.begun.notified().await;
        gated.go_on.notify_one();
    }
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!((gated.fake.steps(), gated.most_at_once.load(Ordering::SeqCst)), (3, 1));
}

#[tokio::test]
async fn without_a_place_nothing_leaves_and_each_comes_back_at_a_time_of_its_own() {
    let (gated, capped) = capped(caps(2, 0, Duration::ZERO));
    let running: Vec<_> = [1, 2]
        .into_iter()
        .map(|n| {
            let capped = Arc::clone(&capped);
            tokio::spawn(async move { capped.advance(&submission(n), None).await })
        })
        .collect();
    while gated.at_once.load(Ordering::SeqCst) < 2 {
        gated.begun.notified().await;
    }
    let mut delays = Vec::new();
    for n in 3..20 {
        delays.push(held_back(capped.advance(&submission(n), None).await));
    }
    assert!(delays.is_sorted() && delays[16] >= delays[0] + Duration::from_secs(3), "{delays:?}");
    assert_eq!(gated.fake.distinct_submissions(), 0, "and none of those was told");
    for one in running {
        gated.go_on.notify_waiters();
        one.await.unwrap().unwrap();
    }
    let (next, ()) = tokio::join!(
        async {
            let submission = submission(3);
            capped.advance(&submission, None).await
        },
        async { gated.go_on.notify_one() }
    );
    assert!(next.is_ok(), "a place is free again");
}

#[tokio::test]
async fn who_is_held_back_by_the_rate_keeps_no_place_and_callbacks_are_read_all_the_same() {
    let provider = FakeProvider::new();
    let clock = FakeClock::new();
    let capped = Capped::new(Arc::new(provider.clone()), caps(1, 1, Duration::ZERO), Arc::new(clock.clone()));
    capped.advance(&submission(1), None).await.unwrap();
    for n in 2..5 {
        let minutes = u64::from(n) - 1;
        let told = held_back(capped.advance(&submission(n), None).await);
        assert_eq!(told, Duration::from_mins(minutes), "{n}");
        assert_eq!(held_back(capped.advance(&submission(n), None).await), told, "asked again");
    }
    assert_eq!(provider.steps(), 1);
    let forged =
        Callback { headers: Vec::new(), body: kyc_core::Secret::new(Vec::new()), received_at: clock.now() };
    assert_eq!(capped.read_callback(&forged), Err(CallbackError::BadSignature));
    // The turn is for who has it.
    clock.advance(SignedDuration::from_mins(1));
    assert_eq!(held_back(capped.advance(&submission(9), None).await), Duration::from_mins(3));
    capped.advance(&submission(2), None).await.unwrap();
    assert_eq!(
        capped.forget(submission(2).verification, None).await,
        Err(ProviderError::HeldBack { retry_after: Duration::from_mins(4) })
    );
}

#[tokio::test]
async fn no_cap_is_no_cap() {
    let provider = FakeProvider::new();
    let caps = Caps::default();
    assert!(caps.is_none());
    let capped = Capped::new(Arc::new(provider.clone()), caps, Arc::new(FakeClock::new()));
    for n in 0..200 {
        capped.advance(&submission(n), None).await.unwrap();
    }
    assert_eq!(provider.steps(), 200);
}

/// A thousand that come together are put off once each: two commits a verification, one to put it off and one for the
/// answer, as it is at five calls a second and 64 workers.
#[tokio::test]
async fn a_backlog_of_a_thousand_is_put_off_once_each_and_goes_at_the_pace_of_the_cap() {
    const BACKLOG: usize = 1000;
    let (provider, store, clock) = (FakeProvider::new(), MemoryStore::new(), FakeClock::new());
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let capped = Capped::new(Arc::new(provider.clone()), caps(0, 300, Duration::ZERO), Arc::clone(&shared));
    let ports = Ports {
        store: Arc::new(store.clone()),
        providers: Providers::one(Arc::new(capped)),
        clock: shared,
        cipher: Arc::new(FakeCipher::new()),
        entropy: Arc::new(FakeEntropy::new()),
    };
    let kyc = Kyc::new(ports, Policy::default());
    let admin = Actor::admin("test").unwrap();
    for n in 0..BACKLOG {
        let register = Register {
            customer_id: Some(format!("cus-{n}")),
            form: sample_customer(),
            ..Register::default()
        };
        kyc.register(&admin, register).await.unwrap();
    }
    let (begun, before) = (clock.now(), store.commits());
    while let Some(due) = kyc.next_due().await.unwrap() {
        clock.advance(due.duration_since(clock.now()).max(SignedDuration::ZERO));
        kyc.run_due_verifications(64).await.unwrap();
    }
    assert_eq!((provider.steps(), provider.distinct_submissions()), (BACKLOG, BACKLOG));
    let commits = store.commits() - before;
    assert!(commits <= 2 * BACKLOG, "{commits} commits");
    let seconds = clock.now().duration_since(begun).as_secs();
    assert!((197..=200).contains(&seconds), "{seconds} s");
}
