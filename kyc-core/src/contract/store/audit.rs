//! Cases: the audit chain.

use super::commit::{commit, registered};
use super::rows::{
    api_key_id, at, changeset, customer_id, event, provider, registration, subject, verification_id,
};
use crate::domain::audit::{Action, AuditEvent, ChainWalk, ChainedEvent};
use crate::domain::field::Field;
use crate::domain::ids::SubjectId;
use crate::domain::status::StatusWord;
use crate::ports::Store;
use crate::ports::store::{Changeset, Conflict};

async fn events(store: &dyn Store, after: u64, limit: u32) -> Vec<ChainedEvent> {
    store.audit_events(after, limit).await.expect("a read works")
}

fn check(chain: &[ChainedEvent]) {
    let mut walk = ChainWalk::default();
    for event in chain {
        walk.step(event).expect("the chain holds");
    }
}

pub(super) async fn events_are_numbered_from_one_without_a_gap_and_chained(store: &dyn Store) {
    let mut expected = Vec::new();
    for n in 1..=5 {
        // Events need no writes: reads are audited too. A changeset may also have none.
        let audit: Vec<_> = (1..n).map(|k| event(10 * n + k)).collect();
        let changeset = Changeset { audit: audit.clone(), ..changeset(n, vec![]) };
        expected.extend(audit.into_iter().map(|event| (changeset.id, event)));
        commit(store, changeset).await;
        let taken =
            if n == 1 { registration(1) } else { Changeset { audit: vec![event(9)], ..registration(1) } };
        let outcome = store.commit(taken.clone()).await;
        if n == 1 {
            expected.push((taken.id, event(1)));
            assert_eq!(outcome, Ok(()));
        } else {
            assert_eq!(outcome, Err(Conflict::CustomerIdTaken.into()));
        }
        let chain = events(store, 0, 100).await;
        check(&chain);
        let told: Vec<_> = chain.into_iter().map(|chained| (chained.changeset, chained.event)).collect();
        assert_eq!(told, expected);
    }
}

pub(super) async fn every_column_of_an_event_is_read_back(store: &dyn Store) {
    let bare = AuditEvent { subject: None, from: None, to: None, ..event(1) };
    let full = AuditEvent {
        subject: Some(subject(1)),
        verification: Some(verification_id(1)),
        provider: Some(provider()),
        target: Some("api_key:1".to_owned()),
        reason: Some("mismatch.name screening.pep".to_owned()),
        from: Some(StatusWord::Queued),
        to: Some(StatusWord::WithProvider),
        fields: Field::ALL.to_vec(),
        request_id: Some("req-1.A_z".to_owned()),
        ..bare.clone()
    };
    let mut written = vec![bare.clone(), full.clone()];
    // Each column absent while the others are there, and there while the others are absent.
    for one in 0..9 {
        for (mut event, other) in [(full.clone(), &bare), (bare.clone(), &full)] {
            match one {
                0 => event.subject = other.subject,
                1 => event.verification = other.verification,
                2 => event.provider.clone_from(&other.provider),
                3 => event.reason.clone_from(&other.reason),
                4 => event.from = other.from,
                5 => event.to = other.to,
                6 => event.fields.clone_from(&other.fields),
                7 => event.target.clone_from(&other.target),
                _ => event.request_id.clone_from(&other.request_id),
            }
            written.push(event);
        }
    }
    written.extend(Action::ALL.iter().map(|action| AuditEvent { action: *action, ..full.clone() }));
    for word in StatusWord::ALL {
        written.push(AuditEvent { from: Some(*word), ..full.clone() });
        written.push(AuditEvent { to: Some(*word), ..full.clone() });
    }
    // In an order of their own, as the events name them.
    let fields = Field::ALL.iter().rev().copied().collect();
    written.push(AuditEvent { fields, at: at(0), actor: "admin:ada@example.com".to_owned(), ..full });
    commit(store, Changeset { audit: written.clone(), ..changeset(1, vec![]) }).await;
    let chain = events(store, 0, 1000).await;
    check(&chain);
    assert_eq!(chain.into_iter().map(|chained| chained.event).collect::<Vec<_>>(), written);
}

pub(super) async fn events_are_read_behind_a_sequence_up_to_a_limit(store: &dyn Store) {
    registered(store, 1..=7).await;
    let whole = events(store, 0, 100).await;
    assert_eq!(whole.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    for after in 0..=8_usize {
        for limit in [0, 1, 3, 100_u32] {
            let page = events(store, after as u64, limit).await;
            let rest = whole.iter().skip(after).take(limit as usize);
            assert_eq!(page, rest.cloned().collect::<Vec<_>>(), "{limit} after {after}");
        }
    }
}

pub(super) async fn the_target_of_an_event_is_read_back_and_hashed(store: &dyn Store) {
    let key = |n| event(1).on_key(api_key_id(n));
    let audit = vec![event(1), key(1), key(2), event(1)];
    commit(store, Changeset { audit: audit.clone(), ..changeset(1, vec![]) }).await;
    let chain = events(store, 0, 9).await;
    assert_eq!(chain.iter().map(|chained| chained.event.clone()).collect::<Vec<_>>(), audit);
    for (before, next) in chain.iter().zip(&chain[1..]) {
        let hash = |event: &AuditEvent| before.hash.next(next.sequence, next.changeset, event);
        assert_eq!(next.hash, hash(&next.event));
        assert_ne!(next.hash, hash(&key(3)), "another target");
        assert_eq!(next.hash == hash(&event(1)), next.event.target.is_none(), "no target");
    }
}

/// Every page behind the one before, of so many.
async fn pages(store: &dyn Store, subject: Option<SubjectId>, limit: u32) -> Vec<ChainedEvent> {
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.audit_events_before(subject, before, limit).await.expect("a read works");
        assert!(page.len() <= limit as usize);
        let Some(last) = page.last() else { return seen };
        // A store that goes round in a circle fails, and does not keep the test for ever.
        assert!(before.is_none_or(|before| last.sequence < before));
        before = Some(last.sequence);
        seen.extend(page);
    }
}

/// Events on three people in turn, and on none; nobody of them is a customer.
async fn on_three_people_and_none(store: &dyn Store) -> Vec<ChainedEvent> {
    for n in 0..5 {
        let on = |k| if k == 0 { AuditEvent { subject: None, ..event(n) } } else { event(n).on(subject(k)) };
        // The third one has no more than one event.
        let audit = (0..3).chain((n == 2).then_some(3)).map(on).collect();
        commit(store, Changeset { audit, ..changeset(n, vec![]) }).await;
    }
    let mut newest_first = events(store, 0, 100).await;
    newest_first.reverse();
    assert_eq!(newest_first.len(), 16);
    newest_first
}

pub(super) async fn events_before_a_sequence_are_read_newest_first_without_gap_or_repeat(store: &dyn Store) {
    let whole = on_three_people_and_none(store).await;
    for limit in [1, 2, 5, 16, 100] {
        assert_eq!(pages(store, None, limit).await, whole, "{limit} at a time");
    }
    for before in [0, 1, 2, 9, 16, 17, 18, u64::MAX] {
        for limit in [0, 1, 3, 100_u32] {
            let rest = whole.iter().filter(|event| event.sequence < before).take(limit as usize);
            let page = store.audit_events_before(None, Some(before), limit).await;
            assert_eq!(page, Ok(rest.cloned().collect()), "{limit} before {before}");
        }
    }
    // What comes later does not move the pages behind a cursor.
    let page = store.audit_events_before(None, Some(9), 4).await;
    commit(store, changeset(9, vec![])).await;
    assert_eq!(store.audit_events_before(None, Some(9), 4).await, page);
}

pub(super) async fn the_events_of_a_person_are_theirs_alone_and_newest_first(store: &dyn Store) {
    let whole = on_three_people_and_none(store).await;
    for (n, number) in [(1, 5), (2, 5), (3, 1), (4, 0)] {
        let theirs = whole.iter().filter(|chained| chained.event.subject == Some(subject(n)));
        let theirs: Vec<_> = theirs.cloned().collect();
        assert_eq!(theirs.len(), number);
        for limit in [1, 2, 100] {
            assert_eq!(pages(store, Some(subject(n)), limit).await, theirs, "of {n}, {limit} at a time");
        }
        for before in 0..=18 {
            let rest = theirs.iter().filter(|event| event.sequence < before).take(2);
            let page = store.audit_events_before(Some(subject(n)), Some(before), 2).await;
            assert_eq!(page, Ok(rest.cloned().collect()), "of {n} before {before}");
        }
    }
}

pub(super) async fn the_customer_ids_of_those_who_are_there_are_told(store: &dyn Store) {
    registered(store, 1..=100).await;
    for asked in [vec![], vec![7], vec![101], vec![100, 3, 0, 51], (0..200).collect::<Vec<u32>>()] {
        let subjects: Vec<_> = asked.iter().map(|n| subject(*n)).collect();
        let mut told = store.customer_ids(&subjects).await.expect("a read works");
        told.sort_unstable();
        let there = asked.iter().filter(|n| (1..=100).contains(*n));
        let mut there: Vec<_> = there.map(|n| (subject(*n), customer_id(*n))).collect();
        there.sort_unstable();
        assert_eq!(told, there);
    }
}
