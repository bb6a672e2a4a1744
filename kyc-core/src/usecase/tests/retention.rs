//! The job of retention: who is due, and that nobody else goes.

use super::{World, admin, now, registration};
use crate::domain::actor::Actor;
use crate::domain::audit::Action;
use crate::domain::customer::Patch;
use crate::domain::ids::CustomerId;
use crate::domain::permission::{Forbidden, Role};
use crate::fakes::sample_customer;
use crate::usecase::{Absence, EndRelationship, RetentionError, SetLegalHold, StatusError};

impl World {
    fn registered(&self, id: &str, ended_on: Option<&str>) {
        now(self.kyc.register(&admin(), registration(id, sample_customer()))).unwrap();
        if let Some(ended_on) = ended_on {
            let request =
                EndRelationship { ended_on: Patch::Set(ended_on.into()), ..EndRelationship::default() };
            now(self.kyc.end_relationship(&admin(), &id_of(id), request)).unwrap();
        }
    }

    fn due(&self) -> Vec<String> {
        let due = now(self.kyc.retention_due(&Actor::system("retention"))).unwrap();
        due.iter().map(|due| format!("{} {}", due.customer_id, due.erasable_from)).collect()
    }

    fn clock_at(&self, day: &str) {
        self.clock.set(format!("{day}T00:00:00Z").parse().unwrap());
    }

    pub(super) fn clock_day(&self) -> String {
        super::super::day(self.kyc.now()).to_string()
    }
}

fn id_of(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

#[test]
fn only_those_with_a_recorded_end_and_no_hold_are_due_when_their_years_are_over() {
    let world = World::new();
    world.registered("ended", Some("2026-02-28"));
    world.registered("decided-later", Some("2026-02-01"));
    world.registered("held", Some("2026-02-01"));
    world.registered("goes-on", None);
    let hold = SetLegalHold { reason: Some("case 7".into()), ..SetLegalHold::default() };
    now(world.kyc.set_legal_hold(&admin(), &id_of("held"), hold)).unwrap();
    // Nobody is decided, so the ends alone count.
    world.clock_at("2031-01-31");
    assert_eq!(world.due(), [""; 0]);
    world.clock_at("2031-02-01");
    assert_eq!(world.due(), ["decided-later 2031-02-01"]);
    world.run_due();
    assert_eq!(world.due(), [""; 0], "the decision begins the time anew");
    world.clock_at("2036-02-01");
    assert_eq!(world.due().len(), 3 - 1, "those two who ended and are not held");
    world.clock_at("2099-01-01");
    let progress = std::sync::Mutex::new(Vec::new());
    let erased = now(world.kyc.erase_due(&Actor::system("retention"), |done, total| {
        progress.lock().unwrap().push((done, total));
    }));
    assert_eq!(erased.unwrap().len(), 2);
    assert_eq!(*progress.lock().unwrap(), [(1, 2), (2, 2)]);
    let erasures: Vec<_> =
        world.audit().into_iter().filter(|event| event.event.action == Action::CustomerErased).collect();
    assert_eq!(erasures.len(), 2);
    assert!(erasures.iter().all(|event| event.event.reason.as_deref() == Some("retention_ended")));
    assert_eq!(erasures[0].event.actor, "system:retention");
    for (id, there) in [("ended", false), ("decided-later", false), ("held", true), ("goes-on", true)] {
        let status = now(world.kyc.status(&admin(), &id_of(id)));
        assert_eq!(status.is_ok(), there, "{id}");
        assert!(there || status == Err(StatusError::Absent(Absence::Erased)));
    }
    assert_eq!(world.due(), [""; 0]);
}

#[test]
fn who_may_not_erase_is_not_told_who_is_due() {
    let world = World::new();
    let client = Actor::account("app", Role::Client).unwrap();
    assert_eq!(now(world.kyc.retention_due(&client)), Err(RetentionError::Forbidden(Forbidden)));
    let erased = world.kyc.erase_due(&client, |_, _| {});
    assert_eq!(now(erased), Err(RetentionError::Forbidden(Forbidden)));
}

#[test]
fn more_than_a_page_is_looked_through() {
    let world = World::new();
    for n in 0..450 {
        world.registered(&format!("c{n}"), Some("2020-01-01"));
    }
    assert_eq!(world.due().len(), 450);
}
