//! Cases: the audit chain.

use super::commit::{commit, registered};
use super::rows::{at, changeset, event, provider, registration, subject, verification_id};
use crate::domain::audit::{Action, AuditEvent, ChainWalk, ChainedEvent};
use crate::domain::field::Field;
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
        reason: Some("mismatch.name screening.pep".to_owned()),
        from: Some(StatusWord::Queued),
        to: Some(StatusWord::WithProvider),
        fields: Field::ALL.to_vec(),
        request_id: Some("req-1.A_z".to_owned()),
        ..bare.clone()
    };
    let mut written = vec![bare.clone(), full.clone()];
    // Each column absent while the others are there, and there while the others are absent.
    for one in 0..8 {
        for (mut event, other) in [(full.clone(), &bare), (bare.clone(), &full)] {
            match one {
                0 => event.subject = other.subject,
                1 => event.verification = other.verification,
                2 => event.provider.clone_from(&other.provider),
                3 => event.reason.clone_from(&other.reason),
                4 => event.from = other.from,
                5 => event.to = other.to,
                6 => event.fields.clone_from(&other.fields),
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
