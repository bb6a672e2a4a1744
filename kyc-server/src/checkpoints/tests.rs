//! Tests of when checkpoints are signed, and of what.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use kyc_core::domain::actor::Actor;
use kyc_core::domain::audit::{Action, AuditEvent, AuditHash};
use kyc_core::domain::ids::ChangesetId;
use kyc_core::fakes::{FakeClock, MemoryStore};
use kyc_core::ports::Store;
use kyc_core::ports::store::{Changeset, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::*;

/// Long enough that only a failure meets it.
const PATIENCE: Duration = Duration::from_secs(30);
const NEVER: Duration = Duration::from_hours(1);
const QUICK: Duration = Duration::from_millis(1);

/// The task over a store in memory, with what it keeps.
struct Signing {
    store: MemoryStore,
    clock: FakeClock,
    kept: mpsc::UnboundedReceiver<Checkpoint>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Checkpoints>,
}

impl Signing {
    fn start(rhythm: Rhythm) -> Self {
        let (keeping, kept) = mpsc::unbounded_channel();
        let keep = move |checkpoint: &Checkpoint| {
            keeping.send(*checkpoint).unwrap();
            Ok(String::from("note"))
        };
        let (store, clock) = (MemoryStore::new(), FakeClock::new());
        let (stop, stopped) = oneshot::channel();
        let checkpoints = Checkpoints::after(ChainWalk::default(), Arc::new(keep)).with_rhythm(rhythm);
        let reads: Arc<dyn AuditReads> = Arc::new(store.clone());
        let shutdown = async { stopped.await.unwrap() };
        let task = tokio::spawn(checkpoints.run(reads, Arc::new(clock.clone()), shutdown));
        Self { store, clock, kept, stop, task }
    }

    async fn happen(&self, events: u8) {
        happen(&self.store, events).await;
    }

    async fn next(&mut self) -> Checkpoint {
        tokio::time::timeout(PATIENCE, self.kept.recv()).await.unwrap().unwrap()
    }

    async fn head(&self) -> AuditHash {
        self.store.audit_events(0, 1000).await.unwrap().last().unwrap().hash
    }
}

async fn happen(store: &MemoryStore, events: u8) {
    let event = AuditEvent::new(&Actor::system("test"), Action::CustomersListed, FakeClock::START);
    for n in 0..events {
        let id = ChangesetId::from_bytes([n; 16]);
        let audit = vec![event.clone()];
        store
            .commit(Changeset { id, guards: vec![], writes: vec![], audit, idempotency: None })
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn one_is_signed_at_start_one_after_enough_events_and_one_at_the_stop() {
    let rhythm = Rhythm { events: 3, interval: NEVER, look: QUICK, ..Rhythm::default() };
    let mut signing = Signing::start(rhythm);
    assert_eq!(signing.next().await.size, 0);
    signing.happen(3).await;
    let third = signing.next().await;
    assert_eq!((third.size, third.head, third.at), (3, signing.head().await, signing.clock.now()));

    signing.happen(1).await;
    signing.stop.send(()).unwrap();
    let checkpoints = signing.task.await.unwrap();
    checkpoints.finish(&signing.store, &signing.clock).await;
    assert_eq!(signing.kept.recv().await.unwrap().size, 4);
    assert!(signing.kept.recv().await.is_none());
}

#[tokio::test]
async fn fewer_events_are_not_enough_and_after_a_failure_no_number_is() {
    let store = MemoryStore::new();
    let (mut checkpoints, _asked) = failing();
    checkpoints.rhythm.events = 3;
    for (event, is_enough) in [(1, false), (2, false), (3, true), (4, true)] {
        happen(&store, 1).await;
        assert_eq!(checkpoints.is_behind(&store).await, is_enough, "{event}");
    }
    checkpoints.failures = 1;
    assert!(!checkpoints.is_behind(&store).await);
}

#[tokio::test]
async fn one_is_signed_again_when_nothing_happens() {
    let rhythm = Rhythm { events: u64::MAX, interval: QUICK, look: QUICK, ..Rhythm::default() };
    let mut signing = Signing::start(rhythm);
    for _ in 0..3 {
        assert_eq!(signing.next().await.size, 0);
    }
}

/// One that keeps nothing, with what it was asked to keep.
fn failing() -> (Checkpoints, Receiver<u64>) {
    let (asking, asked) = channel();
    let asking = Mutex::new(asking);
    let keep = move |checkpoint: &Checkpoint| {
        asking.lock().unwrap().send(checkpoint.size).unwrap();
        Err(String::from("the disk is full"))
    };
    (Checkpoints::after(ChainWalk::default(), Arc::new(keep)), asked)
}

#[tokio::test]
async fn what_can_not_be_kept_is_counted_and_tried_again() {
    let (store, clock) = (MemoryStore::new(), FakeClock::new());
    let (mut checkpoints, asked) = failing();
    happen(&store, 2).await;
    for failures in 1..=3 {
        checkpoints.sign(&store, &clock).await;
        assert_eq!(checkpoints.failures, failures);
    }
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [2, 2, 2]);
    checkpoints.keep = Arc::new(|_| Ok(String::from("note")));
    checkpoints.sign(&store, &clock).await;
    assert_eq!(checkpoints.failures, 0);
}

#[tokio::test]
async fn what_is_not_as_it_was_committed_is_not_signed() {
    let (store, clock) = (MemoryStore::new(), FakeClock::new());
    happen(&store, 2).await;
    let (mut checkpoints, asked) = failing();
    // It stands at an event that the store never had: somebody changed it.
    checkpoints.walk = ChainWalk::after(1, AuditHash::from_bytes([1; 32]));
    checkpoints.sign(&store, &clock).await;
    store.fail_with(Some(StoreError::Unavailable));
    checkpoints.sign(&store, &clock).await;
    assert_eq!((checkpoints.failures, asked.try_iter().count()), (2, 0));
}
