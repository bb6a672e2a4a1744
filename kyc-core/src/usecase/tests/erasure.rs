//! Erasing, holding and exporting a person.

use futures_util::FutureExt;

use super::{World, a, admin, now, registration, set, text};
use crate::domain::actor::Actor;
use crate::domain::audit::Action;
use crate::domain::customer::{CustomerForm, Patch};
use crate::domain::erasure::ErasureReason;
use crate::domain::permission::{Forbidden, Role};
use crate::domain::report::{Counter, Range};
use crate::domain::status::StatusKind;
use crate::fakes::sample_customer;
use crate::ports::IdentityProvider;
use crate::ports::provider::{Answer, Outcome};
use crate::ports::store::{Conflict, ReportReads, StoreError};
use crate::usecase::{
    Absence, AuditQuery, CustomerError, EndRelationship, Erase, EraseError, ExportError, HoldError, Ran,
    RegisterError, RelationshipError, RequestError, Reveal, SetLegalHold, StatusError, Update, UpdateError,
    VerificationsError,
};

const ASKED: Erase = Erase { reason: ErasureReason::SubjectRequest, override_retention: false };
const OVERRIDING: Erase = Erase { override_retention: true, ..ASKED };

impl World {
    fn erase(&self, request: Erase) -> Result<(), EraseError> {
        now(self.kyc.erase(&admin(), &a(), request))
    }

    fn hold(&self, reason: &str) {
        let request = SetLegalHold { reason: text(reason), ..SetLegalHold::default() };
        now(self.kyc.set_legal_hold(&admin(), &a(), request)).unwrap();
    }

    fn reasons(&self, action: Action) -> Vec<Option<String>> {
        let events = self.audit().into_iter().filter(|event| event.event.action == action);
        events.map(|event| event.event.reason).collect()
    }
}

#[test]
fn an_erased_customer_is_gone_for_every_use_case_and_the_id_is_not_given_again() {
    let world = World::new();
    world.register();
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    let (kyc, who) = (&world.kyc, admin());
    let gone = Absence::Erased;
    assert_eq!(now(kyc.customer(&who, &a(), Reveal::AsUsual)), Err(CustomerError::Absent(gone)));
    assert_eq!(now(kyc.status(&who, &a())), Err(StatusError::Absent(gone)));
    assert_eq!(now(kyc.verifications(&who, &a())), Err(VerificationsError::Absent(gone)));
    assert_eq!(now(kyc.request_verification(&who, &a())), Err(RequestError::Absent(gone)));
    assert_eq!(now(kyc.update(&who, &a(), Update::default())), Err(UpdateError::Absent(gone)));
    let end = EndRelationship::default();
    assert_eq!(now(kyc.end_relationship(&who, &a(), end)), Err(RelationshipError::Absent(gone)));
    assert_eq!(now(kyc.set_legal_hold(&who, &a(), SetLegalHold::default())), Err(HoldError::Absent(gone)));
    assert_eq!(now(kyc.lift_legal_hold(&who, &a())), Err(HoldError::Absent(gone)));
    assert_eq!(now(kyc.export(&who, &a())), Err(ExportError::Absent(gone)));
    assert_eq!(world.erase(OVERRIDING), Err(EraseError::Absent(gone)));
    let again = kyc.register(&who, registration("a", sample_customer()));
    assert_eq!(now(again), Err(RegisterError::Erased));
    now(kyc.register(&who, registration("b", sample_customer()))).unwrap();
}

#[test]
fn who_may_not_is_told_so_whoever_is_asked_for() {
    let world = World::new();
    world.register();
    for role in [Role::Client, Role::Reviewer, Role::Auditor] {
        let who = Actor::account("somebody", role).unwrap();
        for id in ["a", "nobody"] {
            let id = crate::domain::ids::CustomerId::parse(id).unwrap();
            assert_eq!(now(world.kyc.erase(&who, &id, OVERRIDING)), Err(EraseError::Forbidden(Forbidden)));
            assert_eq!(now(world.kyc.export(&who, &id)), Err(ExportError::Forbidden(Forbidden)));
            assert_eq!(now(world.kyc.lift_legal_hold(&who, &id)), Err(HoldError::Forbidden(Forbidden)));
            let hold = SetLegalHold { reason: text("x"), ..SetLegalHold::default() };
            assert_eq!(now(world.kyc.set_legal_hold(&who, &id, hold)), Err(HoldError::Forbidden(Forbidden)));
        }
    }
    assert_eq!(world.actions(), [Action::CustomerRegistered]);
}

#[test]
fn the_retention_is_told_by_its_day_and_an_override_is_in_the_event() {
    let world = World::new();
    world.register();
    world.run_due();
    let erasable_from = "2031-03-15".parse().unwrap();
    assert_eq!(world.clock_day(), "2026-03-15");
    assert_eq!(world.erase(ASKED), Err(EraseError::Retention { erasable_from }));
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    assert_eq!(
        world.reasons(Action::CustomerErased),
        [Some("subject_request retention_overridden".to_owned())]
    );
}

#[test]
fn once_the_time_is_over_no_override_is_needed_nor_noted() {
    let world = World::new();
    world.register();
    world.run_due();
    world.clock.set("2031-03-14T23:59:59Z".parse().unwrap());
    assert!(matches!(world.erase(ASKED), Err(EraseError::Retention { .. })));
    world.clock.set("2031-03-15T00:00:00Z".parse().unwrap());
    let request = Erase { reason: ErasureReason::CourtOrder, override_retention: true };
    assert_eq!(world.erase(request), Ok(()));
    assert_eq!(world.reasons(Action::CustomerErased), [Some("court_order".to_owned())]);
}

#[test]
fn the_last_decision_counts_also_when_a_change_put_the_customer_back() {
    let world = World::new();
    world.register();
    world.clock.set("2028-01-01T00:00:00Z".parse().unwrap());
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    let erasable_from = "2033-01-01".parse().unwrap();
    assert_eq!(world.erase(ASKED), Err(EraseError::Retention { erasable_from }));
}

#[test]
fn a_hold_is_never_overridden_and_lifting_it_lets_the_erasure_through() {
    let world = World::new();
    world.register();
    world.hold("case 7/2026");
    assert_eq!(world.erase(OVERRIDING), Err(EraseError::LegalHold));
    world.clock.set("2090-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.erase(OVERRIDING), Err(EraseError::LegalHold));
    now(world.kyc.lift_legal_hold(&admin(), &a())).unwrap();
    now(world.kyc.lift_legal_hold(&admin(), &a())).unwrap();
    assert_eq!(world.reasons(Action::LegalHoldLifted).len(), 1, "what is not there is not lifted");
    assert_eq!(world.erase(ASKED), Ok(()));
    assert!(world.audit().iter().all(|event| !format!("{event:?}").contains("7/2026")));
}

#[test]
fn every_fault_of_a_hold_and_an_end_is_named() {
    let world = World::new();
    world.register();
    let hold = |reason| {
        let request = SetLegalHold { reason, ..SetLegalHold::default() };
        now(world.kyc.set_legal_hold(&admin(), &a(), request)).map(drop).unwrap_err().to_string()
    };
    assert_eq!(hold(None), "the input is invalid: /reason: field.required");
    assert_eq!(hold(text("a\nb")), "the input is invalid: /reason: reason.invalid");
    let end = |ended_on| {
        let request = EndRelationship { ended_on, ..EndRelationship::default() };
        now(world.kyc.end_relationship(&admin(), &a(), request)).map(|relationship| relationship.ended_on)
    };
    let fault = |ended_on| end(ended_on).unwrap_err().to_string();
    assert_eq!(fault(Patch::Keep), "the input is invalid: /ended_on: field.required");
    assert_eq!(fault(set("2026-02-30")), "the input is invalid: /ended_on: date.invalid");
    assert_eq!(fault(set("2028-01-01")), "the input is invalid: /ended_on: ended_on.too_late");
    assert_eq!(end(set("2026-03-01")), Ok(Some("2026-03-01".parse().unwrap())));
    assert_eq!(end(set("2026-03-01")), Ok(Some("2026-03-01".parse().unwrap())));
    assert_eq!(end(Patch::Clear), Ok(None));
    let words = [Some("ended".to_owned()), Some("goes_on".to_owned())];
    assert_eq!(world.reasons(Action::RelationshipRecorded), words, "the same again is no change");
}

#[test]
fn the_counters_move_to_erased_and_decisions_stay() {
    let world = World::new();
    let child = CustomerForm { date_of_birth: text("2020-01-01"), ..sample_customer() };
    now(world.kyc.register(&admin(), registration("a", child))).unwrap();
    world.run_due();
    let day = "2026-03-15".parse().unwrap();
    let counts = || {
        let mut counts = now(world.store.counts(Range::new(day, day).unwrap())).unwrap();
        counts.retain(|count| count.count != 0);
        counts.into_iter().map(|count| (count.counter, count.count)).collect::<Vec<_>>()
    };
    let before = counts();
    assert!(before.iter().any(|(counter, _)| matches!(counter, Counter::Discrepancy(_))));
    assert!(before.contains(&(Counter::Status(StatusKind::Rejected), 1)));
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    let kept = before.iter().filter(|(counter, _)| matches!(counter, Counter::Decision { .. }));
    let expected: Vec<_> = kept.copied().chain([(Counter::Erased, 1)]).collect();
    assert_eq!((counts(), expected.len()), (expected, 2));
    let report = now(world.kyc.report(&admin(), day, day)).unwrap();
    assert_eq!((report.total, report.erased, report.statuses.rejected), (1, 1, 0));
}

#[test]
fn a_change_in_between_has_the_erasure_look_again() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(Conflict::Revision);
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    assert_eq!(world.actions(), [Action::CustomerRegistered, Action::CustomerErased]);
    world.store.fail_with(Some(StoreError::Unavailable));
    assert!(matches!(world.erase(OVERRIDING), Err(EraseError::Failed(_))));
}

#[test]
fn a_worker_and_a_callback_for_an_erased_customer_end_quietly() {
    let world = World::new();
    world.register();
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    let (id, provider) = (claimed.record.verification.id, world.provider.name());
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    let before = world.audit().len();
    assert_eq!(now(world.kyc.run(claimed)), Ok(Ran::Erased));
    assert_eq!(world.run_due(), []);
    let answer = Answer { outcome: Outcome::Clear, discrepancies: Vec::new(), raw: Vec::new().into() };
    assert!(now(world.kyc.record_answer(&provider, id, answer)).is_err());
    assert_eq!(world.audit().len(), before);
}

#[test]
fn the_events_of_an_erased_customer_are_still_found_by_the_id() {
    let world = World::new();
    world.register();
    assert_eq!(world.erase(OVERRIDING), Ok(()));
    let query = AuditQuery { customer_id: Some(a()), limit: 9, ..AuditQuery::default() };
    let page = now(world.kyc.audit_events(&admin(), query)).unwrap();
    let actions: Vec<_> = page.items.iter().map(|view| view.chained.event.action).collect();
    assert_eq!(actions, [Action::CustomerErased, Action::CustomerRegistered]);
    assert!(page.items.iter().all(|view| view.customer_id.is_none()), "the id itself is gone");
}

#[test]
fn an_export_has_every_version_answer_and_event_and_is_audited() {
    let world = World::new();
    world.register();
    world.run_due();
    world.advance(60);
    world.update(|update| update.name = set("Ada King"));
    world.hold("a witness");
    let export = now(world.kyc.export(&admin(), &a())).unwrap();
    let names: Vec<_> = export.versions.iter().map(|version| version.shown.name.expose().as_str()).collect();
    assert_eq!(
        (names, export.customer.shown.name.expose().as_str()),
        (vec!["Ada Lovelace", "Ada King"], "Ada King")
    );
    assert_eq!((export.versions[0].version, export.versions[1].version), (1, 2));
    assert!(export.versions[0].at < export.versions[1].at);
    assert_eq!(export.verifications.len(), 2);
    assert!(export.verifications[1].answer.is_some() && export.verifications[0].answer.is_none());
    assert_eq!(export.legal_hold.unwrap().expose(), "a witness");
    assert_eq!(export.erasable_from.to_string(), "2031-03-15");
    assert_eq!(export.events.len(), 4);
    assert_eq!(world.actions().last(), Some(&Action::CustomerExported));
}

#[test]
fn what_can_not_be_audited_is_not_exported() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(StoreError::Unavailable);
    assert!(matches!(now(world.kyc.export(&admin(), &a())), Err(ExportError::Failed(_))));
    world.store.fail_next_commit(Conflict::Revision);
    assert!(world.kyc.export(&admin(), &a()).now_or_never().unwrap().is_ok(), "it reads again");
}
