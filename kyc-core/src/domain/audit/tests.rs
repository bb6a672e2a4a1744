//! The chain: its published vector, and what it finds.

use super::*;
use crate::domain::status::{Decision, Stage};

fn chain() -> Vec<ChainedEvent> {
    let at: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
    let changeset = ChangesetId::from_bytes([1; 16]);
    let subject = SubjectId::from_bytes([2; 16]);
    let verification = VerificationId::from_bytes([3; 16]);
    let provider = ProviderName::parse("sandbox").unwrap();
    let admin = Actor::admin("bootstrap").unwrap();
    let queued = Status::Pending(Stage::Queued);
    let events = [
        AuditEvent::new(&admin, Action::CustomerRegistered, at)
            .on(subject)
            .of(verification, &provider)
            .because(["registration"])
            .moving(None, queued)
            .about(vec![Field::Name, Field::Email]),
        AuditEvent::new(&Actor::system("worker"), Action::VerificationDecided, at)
            .on(subject)
            .of(verification, &provider)
            .moving(Some(queued), Decision::Review.status()),
        AuditEvent::new(&admin, Action::CustomersListed, at),
    ];
    let mut head = AuditHash::ORIGIN;
    let mut chained = Vec::new();
    for (event, sequence) in events.into_iter().zip(1..) {
        head = head.next(sequence, changeset, &event);
        chained.push(ChainedEvent { sequence, changeset, event, hash: head });
    }
    chained
}

fn walk(events: &[ChainedEvent]) -> Result<(), ChainFault> {
    let mut walk = ChainWalk::default();
    events.iter().try_for_each(|event| walk.step(event))
}

/// The vector that ARCHITECTURE.md publishes for those who verify a chain with code of their own.
#[test]
fn the_chain_has_the_published_hashes() {
    let hashes: Vec<String> = chain().iter().map(|event| format!("{:?}", event.hash)).collect();
    assert_eq!(
        hashes,
        [
            "6a1f06aecc840a66a200315beb7c947f0d81e293d2c55496ae2d340d82a29773",
            "341e3dcd1c44dbca2a926b455f2d32965c43cfa02b815ddb716c1ee6617f8065",
            "8aca77f6c593e1d8f55587362178c8639abd813fcf6c63c47f294d0c106e19ed",
        ]
    );
}

#[test]
fn an_untouched_chain_is_whole() {
    assert_eq!(walk(&chain()), Ok(()));
}

#[test]
fn a_removed_or_moved_event_is_named() {
    let mut events = chain();
    events.remove(1);
    assert_eq!(walk(&events), Err(ChainFault::OutOfPlace { expected: 2, found: 3 }));
    let mut events = chain();
    events.swap(0, 1);
    assert_eq!(walk(&events), Err(ChainFault::OutOfPlace { expected: 1, found: 2 }));
}

#[test]
fn an_edit_of_any_column_is_found() {
    let edits: [fn(&mut ChainedEvent); 13] = [
        |e| e.changeset = ChangesetId::from_bytes([9; 16]),
        |e| e.event.at = Timestamp::from_second(0).unwrap(),
        |e| e.event.actor.push('x'),
        |e| e.event.action = Action::CustomerRead,
        |e| e.event.subject = None,
        |e| e.event.verification = None,
        |e| e.event.provider = None,
        |e| e.event.target = Some(String::from("api_key:1")),
        |e| e.event.reason = Some(String::from("update")),
        |e| e.event.from = Some(StatusWord::WithProvider),
        |e| e.event.to = Some(StatusWord::Verified),
        |e| e.event.fields = vec![Field::Address],
        |e| e.event.request_id = Some(String::from("r-1")),
    ];
    for (number, edit) in edits.iter().enumerate() {
        let mut events = chain();
        edit(&mut events[1]);
        assert_eq!(walk(&events), Err(ChainFault::Edited { sequence: 2 }), "edit {number}");
    }
}

#[test]
fn text_that_moves_from_one_column_to_the_next_changes_the_hash() {
    let base = chain().remove(0);
    let mut moved = base.clone();
    moved.event.reason = None;
    moved.event.request_id = base.event.reason.clone();
    let hash = |e: &ChainedEvent| AuditHash::ORIGIN.next(1, e.changeset, &e.event);
    assert_ne!(hash(&base), hash(&moved));
}
