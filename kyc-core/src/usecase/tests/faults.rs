//! What happens when a port fails: a clear error, and nothing half done.

use super::*;
use crate::domain::status::Stage;
use crate::ports::cipher::{CipherError, DataKey};
use crate::ports::entropy::NoEntropy;
use crate::ports::store::{Conflict, CustomerFilter, PageRequest, StoreError};
use crate::usecase::{CustomerError, ListError, PortFailure, RegisterError, UpdateError};

#[test]
fn a_store_that_fails_leaves_nothing_and_says_so() {
    let world = World::new();
    for error in [StoreError::Overloaded, StoreError::Unavailable] {
        world.store.fail_next_commit(error);
        let failed = now(world.kyc.register(&admin(), registration("a", sample_customer()))).unwrap_err();
        assert_eq!(failed, RegisterError::Failed(PortFailure::Store(error)));
    }
    assert!(world.audit().is_empty());
    world.register();
}

#[test]
fn no_key_is_no_plaintext_but_an_error() {
    let world = World::new();
    world.cipher.fail_with(Some(CipherError::Unavailable));
    let failed = now(world.kyc.register(&admin(), registration("a", sample_customer()))).unwrap_err();
    assert_eq!(failed, RegisterError::Failed(PortFailure::Cipher(CipherError::Unavailable)));
    assert_eq!(world.store.commits(), 0);
}

#[test]
fn no_randomness_is_no_customer() {
    let world = World::new();
    world.entropy.set_failing(true);
    let failed = now(world.kyc.register(&admin(), registration("a", sample_customer()))).unwrap_err();
    assert_eq!(failed, RegisterError::Failed(PortFailure::Entropy(NoEntropy)));
    assert_eq!(world.store.commits(), 0);
}

#[test]
fn a_read_that_can_not_be_audited_is_not_answered() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(StoreError::Overloaded);
    let failed = now(world.kyc.customer(&admin(), &a(), Reveal::AsUsual)).unwrap_err();
    assert_eq!(failed, CustomerError::Failed(PortFailure::Store(StoreError::Overloaded)));
    assert!(now(world.kyc.customer(&admin(), &a(), Reveal::AsUsual)).is_ok());
}

#[test]
fn what_does_not_open_is_audited_and_shown_to_nobody() {
    let world = World::new();
    world.register();
    world.cipher.fail_with(Some(CipherError::Unreadable));
    let unreadable = PortFailure::Cipher(CipherError::Unreadable);
    let read = || now(world.kyc.customer(&admin(), &a(), Reveal::AsUsual)).unwrap_err();
    assert_eq!(read(), CustomerError::Failed(unreadable));
    assert_eq!(world.actions(), [Action::CustomerRegistered, Action::DataUnreadable]);
    let page = PageRequest { after: None, limit: 10 };
    let listed = now(world.kyc.customers(&admin(), CustomerFilter::default(), page)).unwrap_err();
    assert_eq!(listed, ListError::Failed(unreadable));
    let update = Update { update: CustomerUpdate::default(), ..Update::default() };
    let updated = now(world.kyc.update(&admin(), &a(), update)).unwrap_err();
    assert_eq!(updated, UpdateError::Failed(unreadable));
    assert_eq!(world.actions()[1..], [Action::DataUnreadable; 3]);
    let events = world.audit();
    assert!(events.iter().all(|event| event.event.subject.is_some()), "each on the customer");
    // Nor is it shown where the event can't be written.
    world.store.fail_next_commit(StoreError::Overloaded);
    assert_eq!(read(), CustomerError::Failed(unreadable));
    // A cipher that is out of order is no sign that something was altered.
    world.cipher.fail_with(Some(CipherError::Unavailable));
    assert_eq!(read(), CustomerError::Failed(PortFailure::Cipher(CipherError::Unavailable)));
    assert_eq!(world.actions().len(), 4);
}

#[test]
fn a_conflict_is_decided_again_and_not_forever() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(Conflict::Revision);
    assert_eq!(world.update(|update| update.name = set("Ada King")).customer.version, 2);
    for _ in 0..super::super::ROUNDS {
        world.store.fail_next_commit(Conflict::Revision);
    }
    let update = CustomerUpdate { name: set("Ada Byron"), ..CustomerUpdate::default() };
    let failed = now(world.kyc.update(&admin(), &a(), Update { update, ..Update::default() }));
    assert_eq!(failed.unwrap_err(), UpdateError::Failed(PortFailure::Contended));
}

#[test]
fn a_key_that_is_missing_for_good_ends_before_a_person() {
    let world = World::new();
    world.register();
    for _ in 0..world.kyc.policy().retry.tries {
        let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
        // The data does not open; the result itself needs no sealing.
        world.cipher.fail_with(Some(CipherError::UnknownKeyVersion(1)));
        now(world.kyc.run(claimed)).unwrap();
        world.cipher.fail_with(None);
        world.advance(700);
    }
    assert_eq!(world.status().status, Status::Pending(Stage::InReview));
    assert_eq!(world.provider.steps(), 0);
}

#[test]
fn a_data_key_seals_no_more_than_it_may() {
    let world = World::new();
    world.register();
    let record = now(crate::ports::store::CustomerReads::customer(&world.store, &a())).unwrap().unwrap();
    let mut row = record.row;
    row.key.messages = DataKey::MAX_MESSAGES - 1;
    let place = super::super::sealing::Place::Data(1);
    let plaintext = crate::Secret::new(vec![1]);
    assert!(super::super::sealing::seal(&world.cipher, &mut row, place, &plaintext).is_ok());
    assert_eq!(
        super::super::sealing::seal(&world.cipher, &mut row, place, &plaintext),
        Err(CipherError::Exhausted)
    );
}
