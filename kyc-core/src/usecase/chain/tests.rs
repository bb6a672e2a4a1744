//! Pages of a chain from a store that was edited by hand.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::FutureExt;

use super::*;
use crate::contract::store::rows;
use crate::domain::ids::{CustomerId, SubjectId};
use crate::fakes::MemoryStore;
use crate::ports::Store;

/// Events by their place, none for one that can't be read.
#[derive(Clone)]
struct Log(BTreeMap<u64, Option<ChainedEvent>>);

#[async_trait]
impl AuditReads for Log {
    async fn audit_events(&self, sequence: u64, limit: u32) -> Result<Vec<ChainedEvent>, StoreError> {
        let rows = self.0.range(sequence + 1..).take(limit as usize);
        rows.map(|(_, event)| event.clone().ok_or(StoreError::Corrupt)).collect()
    }

    async fn audit_events_before(
        &self,
        _: Option<SubjectId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ChainedEvent>, StoreError> {
        let rows = self.0.range(..before.unwrap_or(u64::MAX)).rev().take(limit as usize);
        rows.map(|(_, event)| event.clone().ok_or(StoreError::Corrupt)).collect()
    }

    async fn customer_ids(&self, _: &[SubjectId]) -> Result<Vec<(SubjectId, CustomerId)>, StoreError> {
        Ok(Vec::new())
    }
}

impl Log {
    /// More events than a page holds.
    fn new() -> Self {
        let store = MemoryStore::new();
        for n in 1..=PAGE + 500 {
            store.commit(rows::registration(n)).now_or_never().unwrap().unwrap();
        }
        let events = store.audit_events(0, u32::MAX).now_or_never().unwrap().unwrap();
        Self(events.into_iter().map(|event| (event.sequence, Some(event))).collect())
    }

    fn walk_on(&self, walk: &mut ChainWalk) -> Result<(), ChainError> {
        walk_on(self, walk).now_or_never().unwrap()
    }

    fn fault(&self) -> ChainFault {
        let ChainError::Fault(fault) = self.walk_on(&mut ChainWalk::default()).unwrap_err() else {
            panic!("a fault of the chain")
        };
        fault
    }
}

#[test]
fn a_walk_ends_at_the_last_event_and_goes_on_from_there() {
    let whole = Log::new();
    let mut begun = whole.clone();
    begun.0.retain(|sequence, _| *sequence <= 1200);
    let mut walk = ChainWalk::default();
    begun.walk_on(&mut walk).unwrap();
    assert_eq!(walk.sequence(), 1200);
    whole.walk_on(&mut walk).unwrap();
    assert_eq!(walk.sequence(), 1500);
    let ends = begun.walk_on(&mut walk).unwrap_err();
    assert_eq!(ends, ChainFault::Cut { last: 1200, size: 1500 }.into());
    assert_eq!(Log(BTreeMap::new()).walk_on(&mut ChainWalk::default()), Ok(()));
}

#[test]
fn an_event_that_cannot_be_read_is_named_in_whichever_place_it_is() {
    for sequence in [1, 2, 999, 1000, 1001, 1499, 1500] {
        let mut log = Log::new();
        log.0.insert(sequence, None);
        assert_eq!(log.fault(), ChainFault::Unreadable { sequence }, "{sequence}");
    }
}

#[test]
fn the_first_fault_is_named_where_there_are_two() {
    let mut log = Log::new();
    log.0.insert(900, None);
    log.0.remove(&700);
    assert_eq!(log.fault(), ChainFault::OutOfPlace { expected: 700, found: 701 });
}

#[test]
fn what_stands_before_the_first_event_is_out_of_place() {
    for row in [None, Log::new().0[&1].clone()] {
        let mut log = Log::new();
        log.0.insert(0, row);
        assert_eq!(log.fault(), ChainFault::OutOfPlace { expected: 1, found: 0 });
    }
}

#[test]
fn the_event_that_a_walk_goes_on_from_must_be_as_it_was() {
    let log = Log::new();
    let head = |log: &Log, sequence: u64| log.0[&sequence].as_ref().unwrap().hash;
    let from = |log: &Log, sequence, head| log.walk_on(&mut ChainWalk::after(sequence, head));
    assert_eq!(from(&log, 1000, head(&log, 1000)), Ok(()));
    assert_eq!(from(&log, 1500, head(&log, 1500)), Ok(()));
    assert_eq!(from(&log, 1000, head(&log, 999)), Err(ChainFault::Rewritten { after: 0, size: 1000 }.into()));
    assert_eq!(from(&log, 0, head(&log, 1)), Err(ChainFault::Rewritten { after: 0, size: 0 }.into()));
    let mut edited = log.clone();
    edited.0.remove(&1000);
    let moved = ChainFault::OutOfPlace { expected: 1000, found: 1001 };
    assert_eq!(from(&edited, 1000, head(&log, 1000)), Err(moved.into()));
    edited.0.insert(1000, None);
    let unreadable = ChainFault::Unreadable { sequence: 1000 };
    assert_eq!(from(&edited, 1000, head(&log, 1000)), Err(unreadable.into()));
}

#[test]
fn a_store_that_cannot_be_read_now_is_no_fault_of_the_chain() {
    let store = MemoryStore::new();
    store.fail_with(Some(StoreError::Unavailable));
    let walked = walk_on(&store, &mut ChainWalk::default()).now_or_never().unwrap();
    assert_eq!(walked, Err(ChainError::Store(StoreError::Unavailable)));
}
