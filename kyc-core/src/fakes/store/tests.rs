//! What the fake promises besides the contract: its switches, and that clones share.

use futures_util::FutureExt;

use super::*;
use crate::domain::actor::Actor;
use crate::domain::audit::{Action, AuditEvent};
use crate::domain::ids::ChangesetId;
use crate::fakes::FakeClock;
use crate::ports::store::Conflict;

fn changeset() -> Changeset {
    let event = AuditEvent::new(&Actor::system("test"), Action::CustomersListed, FakeClock::START);
    let id = ChangesetId::new(FakeClock::START, [0; 10]);
    Changeset { id, guards: Vec::new(), writes: Vec::new(), audit: vec![event], idempotency: None }
}

fn commit(store: &MemoryStore) -> Result<(), CommitError> {
    store.commit(changeset()).now_or_never().unwrap()
}

#[test]
fn a_commit_that_is_told_to_fail_writes_nothing_and_the_next_one_works() {
    let store = MemoryStore::new();
    store.fail_next_commit(Conflict::Revision);
    store.fail_next_commit(StoreError::Overloaded);
    assert_eq!(commit(&store), Err(Conflict::Revision.into()));
    assert_eq!(commit(&store), Err(StoreError::Overloaded.into()));
    assert_eq!(store.commits(), 0);
    assert_eq!(commit(&store), Ok(()));
    assert_eq!(store.commits(), 1);
    assert_eq!(store.audit_events(0, 10).now_or_never().unwrap().unwrap().len(), 1);
}

#[test]
fn a_store_that_is_down_neither_reads_nor_writes_until_it_is_up() {
    let store = MemoryStore::new();
    store.fail_with(Some(StoreError::Unavailable));
    assert_eq!(commit(&store), Err(StoreError::Unavailable.into()));
    assert_eq!(store.audit_events(0, 10).now_or_never(), Some(Err(StoreError::Unavailable)));
    store.fail_with(None);
    assert_eq!(commit(&store), Ok(()));
}

#[test]
fn clones_share_what_they_hold() {
    let store = MemoryStore::new();
    let clone = store.clone();
    assert_eq!(commit(&clone), Ok(()));
    assert_eq!(store.commits(), 1);
    assert_eq!(format!("{store:?}"), "MemoryStore(0 customers, 1 commits)");
}
