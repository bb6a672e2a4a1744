//! The ledger of erasures: what it gets, what waits for it, and a store that came back from a backup.

use std::sync::Arc;

use super::{World, a, admin, now, registration};
use crate::domain::audit::Action;
use crate::domain::erasure::{Erasure, ErasureReason};
use crate::fakes::{FakeCipher, MemoryLedger, MemoryStore, sample_customer};
use crate::ports::ErasureLedger;
use crate::ports::ledger::LedgerError;
use crate::ports::store::ErasureReads;
use crate::usecase::{
    Absence, Erase, Ports, Providers, RegisterError, ReplayError, Replayed, SetLegalHold, StatusError,
};

const ERASE: Erase = Erase { reason: ErasureReason::CourtOrder, override_retention: true };

impl World {
    /// The same, with a ledger.
    fn noting(ledger: &MemoryLedger) -> Self {
        let mut world = Self::new();
        world.kyc = world.kyc.with_erasure_ledger(Arc::new(ledger.clone()));
        world
    }

    /// A world with the same keys and ledger and another store, as after a restore.
    fn restored(&self, ledger: &MemoryLedger, cipher: &FakeCipher) -> Self {
        let mut world = Self::new();
        world.cipher = cipher.clone();
        world.store = MemoryStore::new();
        let ports = Ports {
            store: Arc::new(world.store.clone()),
            providers: Providers::one(Arc::new(world.provider.clone())),
            clock: Arc::new(self.clock.clone()),
            cipher: Arc::new(cipher.clone()),
            entropy: Arc::new(world.entropy.clone()),
        };
        let policy = world.kyc.policy().clone();
        world.kyc = crate::Kyc::new(ports, policy).with_erasure_ledger(Arc::new(ledger.clone()));
        world
    }

    fn replay(&self) -> Result<Replayed, ReplayError> {
        now(self.kyc.replay_erasures())
    }
}

fn entries(ledger: &MemoryLedger) -> Vec<Erasure> {
    now(ledger.entries()).unwrap()
}

#[test]
fn an_erasure_is_in_the_ledger_before_it_is_answered() {
    let ledger = MemoryLedger::new();
    let world = World::noting(&ledger);
    world.register();
    now(world.kyc.erase(&admin(), &a(), ERASE)).unwrap();
    assert_eq!(entries(&ledger), now(world.store.erasures(None, 9)).unwrap());
    assert_eq!(entries(&ledger)[0].reason, ErasureReason::CourtOrder);
    assert_eq!(world.kyc.unrecorded_erasures(), 0);
    assert_eq!(world.replay(), Ok(Replayed::default()), "both have it");
}

#[test]
fn what_the_ledger_can_not_take_waits_and_is_told_until_it_is_there() {
    let ledger = MemoryLedger::new();
    let world = World::noting(&ledger);
    world.register();
    ledger.fail_with(Some(LedgerError::Unavailable));
    now(world.kyc.erase(&admin(), &a(), ERASE)).unwrap();
    assert_eq!(now(world.kyc.status(&admin(), &a())), Err(StatusError::Absent(Absence::Erased)));
    assert_eq!(world.kyc.unrecorded_erasures(), 1);
    assert_eq!(now(world.kyc.record_erasures()), Err(LedgerError::Unavailable));
    assert_eq!(world.kyc.unrecorded_erasures(), 1);
    ledger.fail_with(None);
    now(world.kyc.record_erasures()).unwrap();
    assert_eq!((world.kyc.unrecorded_erasures(), entries(&ledger).len()), (0, 1));
}

#[test]
fn what_the_ledger_lacks_is_added_at_start() {
    let ledger = MemoryLedger::new();
    let world = World::new();
    world.register();
    now(world.kyc.erase(&admin(), &a(), ERASE)).unwrap();
    let kyc = world.kyc.clone().with_erasure_ledger(Arc::new(ledger.clone()));
    assert_eq!(now(kyc.replay_erasures()), Ok(Replayed { recorded: 1, ..Replayed::default() }));
    assert_eq!(entries(&ledger), now(world.store.erasures(None, 9)).unwrap());
}

#[test]
fn whoever_a_restore_brought_back_is_erased_again_whatever_speaks_against_it() {
    let (ledger, world) = (MemoryLedger::new(), World::new());
    world.register();
    let hold = SetLegalHold { reason: Some("lifted since".into()), ..SetLegalHold::default() };
    now(world.kyc.set_legal_hold(&admin(), &a(), hold)).unwrap();
    let subject = world.audit()[0].event.subject.unwrap();
    let fingerprints = super::super::sealing::id_fingerprints(&world.cipher, &a());
    let at = "2026-03-01T00:00:00Z".parse().unwrap();
    let erasure =
        Erasure { fingerprint: fingerprints[0], subject, at, reason: ErasureReason::SubjectRequest };
    // Twice is as good as once.
    now(ledger.append(&[erasure, erasure])).unwrap();
    let kyc = world.kyc.clone().with_erasure_ledger(Arc::new(ledger.clone()));
    assert_eq!(now(kyc.replay_erasures()), Ok(Replayed { erased: 1, ..Replayed::default() }));
    assert_eq!(now(kyc.status(&admin(), &a())), Err(StatusError::Absent(Absence::Erased)));
    assert_eq!(now(world.store.erasures(None, 9)), Ok(vec![erasure]), "as it was the first time");
    let last = world.audit().pop().unwrap().event;
    assert_eq!(
        (last.action, last.reason.as_deref()),
        (Action::CustomerErased, Some("subject_request replayed"))
    );
    assert_eq!(last.actor, "system:erasure-ledger");
    assert_eq!(now(kyc.replay_erasures()), Ok(Replayed::default()));
    assert_eq!(entries(&ledger).len(), 2, "what the ledger has it is not told again");
}

#[test]
fn an_id_stays_erased_in_a_store_that_was_never_told() {
    let ledger = MemoryLedger::new();
    let world = World::noting(&ledger);
    world.register();
    now(world.kyc.erase(&admin(), &a(), ERASE)).unwrap();
    let older = world.restored(&ledger, &world.cipher);
    assert_eq!(older.replay(), Ok(Replayed { remembered: 1, ..Replayed::default() }));
    assert_eq!(now(older.kyc.status(&admin(), &a())), Err(StatusError::Absent(Absence::Erased)));
    let again = now(older.kyc.register(&admin(), registration("a", sample_customer())));
    assert_eq!(again, Err(RegisterError::Erased));
    assert_eq!(older.actions(), [Action::ErasureRemembered]);
}

#[test]
fn a_ledger_that_can_not_be_read_is_told() {
    let ledger = MemoryLedger::new();
    let world = World::noting(&ledger);
    ledger.fail_with(Some(LedgerError::Damaged { entry: 7 }));
    assert_eq!(world.replay(), Err(ReplayError::Ledger(LedgerError::Damaged { entry: 7 })));
    assert_eq!(World::new().replay(), Ok(Replayed::default()), "without a ledger nothing is replayed");
}
