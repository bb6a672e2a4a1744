//! Customers who have what only one should have.

use super::{VERIFIED, World, a, admin, now, passport, registration, set, text};
use crate::domain::actor::Actor;
use crate::domain::audit::Action;
use crate::domain::customer::{CustomerForm, DocumentForm};
use crate::domain::discrepancy::{Code, Discrepancy, Severity};
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::CustomerId;
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Role};
use crate::domain::status::{Stage, Status};
use crate::fakes::{FakeProvider, sample_customer, sample_person};
use crate::ports::provider::Outcome;
use crate::ports::store::{CommitError, Conflict, StoreError};
use crate::usecase::{Absence, Erase, Link, LinksError, Shared};

const REVIEW: Status = Status::Pending(Stage::InReview);
const BOTH: [Code; 2] = [Code::DuplicatePerson, Code::DuplicateDocument];

/// Somebody who shares nothing with the sample.
fn other() -> CustomerForm {
    CustomerForm {
        name: text("Grace Hopper"),
        email: text("grace@example.com"),
        phone_number: text("+12025550123"),
        date_of_birth: text("1986-12-09"),
        identity_document: Some(passport("533380006")),
        ..sample_customer()
    }
}

fn id(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

impl World {
    fn add(&self, id: &str, form: CustomerForm) {
        now(self.kyc.register(&admin(), registration(id, form))).unwrap();
    }

    /// Where a customer stands, and what was found.
    fn outcome(&self, customer: &str) -> (Status, Vec<Code>) {
        let status = now(self.kyc.status(&admin(), &id(customer))).unwrap();
        (status.status, status.discrepancies.iter().map(|found| found.code).collect())
    }
}

#[track_caller]
fn check(form: CustomerForm, codes: &[Code]) {
    let world = World::new();
    world.register();
    world.run_due();
    world.add("b", form);
    world.run_due();
    let expected = if codes.is_empty() { VERIFIED } else { REVIEW };
    assert_eq!(world.outcome("b"), (expected, codes.to_vec()));
    assert_eq!(world.outcome("a"), (VERIFIED, vec![]), "who was decided before stays so");
}

#[test]
fn who_shares_document_or_name_and_birth_goes_before_a_person() {
    check(other(), &[]);
    check(sample_customer(), &BOTH);
    let document = |number, country| {
        let identity_document = DocumentForm { issuing_country: text(country), ..passport(number) };
        CustomerForm { identity_document: Some(identity_document), ..other() }
    };
    check(document("925 076-473", "GB"), &[Code::DuplicateDocument]);
    check(document("925076473", "FR"), &[]);
    check(document("925076474", "GB"), &[]);
    let person = |name, born| CustomerForm { name: text(name), date_of_birth: text(born), ..other() };
    check(person("ÁDA  love-lace", "1990-12-10"), &[Code::DuplicatePerson]);
    check(person("Ada Lovelace", "1990-12-11"), &[]);
    check(person("Ada King", "1990-12-10"), &[]);
}

#[test]
fn shared_contacts_are_no_discrepancy() {
    let contacts = sample_customer();
    check(CustomerForm { email: contacts.email, phone_number: contacts.phone_number, ..other() }, &[]);
}

#[test]
fn two_who_are_decided_in_one_batch_are_both_found() {
    for round in 0..50 {
        let world = World::new();
        world.register();
        world.add("b", sample_customer());
        world.run_due();
        let found = [world.outcome("a"), world.outcome("b")];
        assert_eq!(found, [(REVIEW, BOTH.to_vec()), (REVIEW, BOTH.to_vec())], "round {round}");
    }
}

#[test]
fn a_person_decides_whatever_the_provider_says() {
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    for (outcome, theirs) in [
        (Outcome::Clear, vec![]),
        (Outcome::Consider, vec![certain]),
        (Outcome::Unusable, vec![Discrepancy::of(Code::ImageUnreadable)]),
        (Outcome::Unknown, vec![]),
    ] {
        let world = World::new();
        world.register();
        world.run_due();
        world.add("b", sample_customer());
        world.provider.answer_with(Ok(FakeProvider::done(outcome, theirs)));
        world.run_due();
        let (status, codes) = world.outcome("b");
        assert_eq!((status, codes.ends_with(&BOTH)), (REVIEW, true), "{outcome}");
        let mut events = world.audit().into_iter();
        let decided = events.rfind(|event| event.event.action == Action::VerificationDecided);
        let reason = decided.and_then(|event| event.event.reason).unwrap();
        assert!(reason.contains("duplicate.person duplicate.document"), "{reason}");
    }
}

#[test]
fn our_own_rules_reject_no_double_by_themselves() {
    let world = World::new();
    let child = || CustomerForm { date_of_birth: text("2020-01-01"), ..sample_customer() };
    world.add("a", child());
    world.run_due();
    assert_eq!(world.outcome("a").1, [Code::PolicyAge]);
    world.add("b", child());
    world.run_due();
    assert_eq!(world.outcome("b"), (REVIEW, [&[Code::PolicyAge][..], &BOTH].concat()));
    assert_eq!(world.provider.distinct_submissions(), 0, "a minor's data is shown to no provider");
}

#[test]
fn nobody_meets_himself_or_who_was_erased() {
    let world = World::new();
    world.register();
    world.run_due();
    for name in ["Ada King", "Ada Lovelace"] {
        world.update(|update| update.name = set(name));
        world.run_due();
        assert_eq!(world.outcome("a"), (VERIFIED, vec![]), "{name}");
    }
    let erase = Erase { reason: ErasureReason::CourtOrder, override_retention: true };
    now(world.kyc.erase(&admin(), &a(), erase)).unwrap();
    world.add("b", sample_customer());
    world.run_due();
    assert_eq!(world.outcome("b"), (VERIFIED, vec![]));
}

#[test]
fn who_was_rejected_for_good_is_met_and_who_has_changed_is_not() {
    let world = World::new();
    world.register();
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    world.provider.answer_with(Ok(FakeProvider::done(Outcome::Consider, vec![certain])));
    world.run_due();
    assert_eq!(world.outcome("a").0, Status::Rejected { terminal: true });
    world.add("b", sample_customer());
    world.run_due();
    assert_eq!(world.outcome("b"), (REVIEW, BOTH.to_vec()));

    let world = World::new();
    world.register();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    world.run_due();
    world.add("b", CustomerForm { name: text("Ada Lovelace"), ..sample_customer() });
    world.run_due();
    assert_eq!(world.outcome("b"), (REVIEW, vec![Code::DuplicateDocument]));
}

#[test]
fn a_change_that_makes_a_double_is_found() {
    let world = World::new();
    world.register();
    world.run_due();
    world.add("b", CustomerForm { date_of_birth: text("1990-12-10"), ..other() });
    world.run_due();
    assert_eq!(world.outcome("b"), (VERIFIED, vec![]));
    world.update(|update| update.name = set("Grace Hopper"));
    world.run_due();
    assert_eq!(world.outcome("a"), (REVIEW, vec![Code::DuplicatePerson]));
}

#[test]
fn a_decision_that_is_made_again_looks_again() {
    let world = World::new();
    world.register();
    world.run_due();
    world.add("b", sample_customer());
    world.store.fail_next_commit(Conflict::Revision);
    world.run_due();
    assert_eq!(world.outcome("b"), (REVIEW, BOTH.to_vec()));
    // What can't be looked up is not decided.
    world.add("c", sample_customer());
    let claimed = now(world.kyc.claim_due(1)).unwrap().remove(0);
    world.store.fail_next_commit(CommitError::Store(StoreError::Unavailable));
    now(world.kyc.run(claimed)).unwrap_err();
    assert_eq!(world.outcome("c").0, Status::Pending(Stage::Queued));
}

#[test]
fn doubles_are_found_before_during_and_after_a_rotation_of_the_fingerprint_key() {
    let world = World::new();
    world.register();
    world.cipher.rotate(KeyUse::Fingerprint);
    world.add("b", sample_customer());
    world.run_due();
    let both = (REVIEW, BOTH.to_vec());
    assert_eq!((world.outcome("a"), world.outcome("b")), (both.clone(), both.clone()));
    world.rewrap(KeyUse::Fingerprint);
    world.cipher.retire(KeyUse::Fingerprint, 1);
    world.add("c", sample_customer());
    world.run_due();
    assert_eq!(world.outcome("c"), both);
}

fn links(world: &World) -> Vec<(String, Vec<Shared>)> {
    let links = now(world.kyc.links(&admin(), &a())).unwrap();
    links.into_iter().map(|link| (link.customer_id.to_string(), link.shares)).collect()
}

#[test]
fn who_shares_what_is_told_newest_first_and_audited() {
    let world = World::new();
    world.register();
    assert_eq!(links(&world), []);
    for (id, form) in [("b", sample_customer()), ("c", other()), ("d", sample_person(7))] {
        world.advance(1);
        world.add(id, form);
    }
    let contacts = vec![Shared::Email, Shared::PhoneNumber];
    let everything = vec![Shared::Document, Shared::Person, Shared::Email, Shared::PhoneNumber];
    let expected = [("d".to_owned(), contacts), ("b".to_owned(), everything)];
    assert_eq!(links(&world), expected);
    assert_eq!(world.actions().iter().filter(|action| **action == Action::LinksRead).count(), 2);
    // Whichever version of the key each was made with, each is told once.
    world.cipher.rotate(KeyUse::Fingerprint);
    assert_eq!(links(&world), expected);
    world.update(|update| update.email = set("ada@example.org"));
    assert_eq!(links(&world)[0], ("d".to_owned(), vec![Shared::PhoneNumber]));
    let erase = Erase { reason: ErasureReason::CourtOrder, override_retention: true };
    now(world.kyc.erase(&admin(), &id("b"), erase)).unwrap();
    assert_eq!(links(&world).len(), 1);
    now(world.kyc.erase(&admin(), &a(), erase)).unwrap();
    assert_eq!(now(world.kyc.links(&admin(), &a())), Err(LinksError::Absent(Absence::Erased)));
    for role in [Role::Client, Role::Auditor] {
        let who = Actor::account("somebody", role).unwrap();
        assert_eq!(now(world.kyc.links(&who, &a())), Err(LinksError::Forbidden(Forbidden)));
    }
}

#[test]
fn of_many_who_share_something_the_newest_are_told() {
    let world = World::new();
    world.register();
    for number in 1..=105 {
        world.add(&format!("c{number}"), sample_person(number));
        world.advance(1);
    }
    let links = links(&world);
    assert_eq!(links.len(), usize::try_from(Link::MAX).unwrap());
    assert_eq!((links[0].0.as_str(), links[99].0.as_str()), ("c105", "c6"));
    world.store.fail_next_commit(CommitError::Store(StoreError::Unavailable));
    now(world.kyc.links(&admin(), &a())).unwrap_err();
}
