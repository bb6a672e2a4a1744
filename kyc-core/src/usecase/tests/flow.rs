//! What should happen: registered, verified, changed, verified again, listed, searched, reported.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::domain::customer::SearchForm;
use crate::domain::discrepancy::{Code, Discrepancy, Severity};
use crate::domain::field::Field;
use crate::domain::status::{Decision, Stage, StatusKind};
use crate::domain::verification::{Cause, State};
use crate::ports::provider::Outcome;
use crate::ports::store::{CustomerFilter, PageRequest};
use crate::usecase::{Because, RegisterError, Search};

#[test]
fn a_customer_is_registered_and_then_verified() {
    let world = World::new();
    world.register();
    let status = world.status();
    assert_eq!(status.status, Status::Pending(Stage::Queued));
    assert_eq!((status.submitted_at, status.decided_at), (None, None));

    let decision = Decision::Approve { valid_until: None };
    assert_eq!(world.run_due(), [Ran::Decided(decision)]);
    let status = world.status();
    assert_eq!(status.status, VERIFIED);
    assert!(status.submitted_at.is_some() && status.decided_at.is_some());
    assert_eq!(status.next_attempt_at, None);
    assert_eq!(world.actions(), [Action::CustomerRegistered, Action::VerificationDecided]);
    assert!(world.run_due().is_empty());
}

#[test]
fn the_provider_is_sent_the_data_of_the_version() {
    let world = World::new();
    world.register();
    world.run_due();
    let submitted = world.provider.submissions();
    assert_eq!(submitted.len(), 1);
    assert_eq!(submitted[0].customer.name().expose(), "Ada Lovelace");
    let decided = &world.audit()[1].event;
    assert!(decided.fields.contains(&Field::Name), "what was disclosed is audited");
    assert_eq!(decided.provider.as_ref(), Some(&world.status().provider));
}

#[test]
fn an_answer_that_does_not_fit_goes_where_it_belongs() {
    let critical = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    let cases = [
        (Outcome::Consider, vec![Discrepancy::of(Code::Tampered)], Status::Pending(Stage::InReview)),
        (Outcome::Consider, vec![Discrepancy::of(Code::MismatchName)], Status::Pending(Stage::InReview)),
        (
            Outcome::Unusable,
            vec![Discrepancy::of(Code::ImageUnreadable)],
            Status::Pending(Stage::AwaitingCustomer),
        ),
        (Outcome::Consider, vec![critical], Status::Rejected { terminal: true }),
        (Outcome::Unknown, vec![], Status::Pending(Stage::InReview)),
    ];
    for (outcome, found, expected) in cases {
        let world = World::new();
        world.register();
        world.provider.answer_with(Ok(FakeProvider::done(outcome, found)));
        world.run_due();
        let status = world.status();
        assert_eq!(status.status, expected, "{outcome}");
        assert!(!status.discrepancies.is_empty(), "{outcome}");
        assert_eq!(status.decided_at.is_some(), matches!(expected, Status::Rejected { .. }), "{outcome}");
    }
}

#[test]
fn a_change_of_identity_verifies_again_and_a_change_of_contact_does_not() {
    let world = World::new();
    world.register();
    world.run_due();

    let updated = world.update(|update| update.email = set("ada@example.org"));
    assert!(!updated.reverification.required);
    assert_eq!((updated.customer.version, world.status().status), (2, VERIFIED));

    let updated = world.update(|update| update.name = set("Ada King"));
    assert!(updated.reverification.required);
    assert_eq!(updated.reverification.because, [Because::Field(Field::Name)]);
    assert_eq!((updated.customer.version, world.status().status), (3, Status::Pending(Stage::Queued)));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.provider.submissions()[1].customer.name().expose(), "Ada King");
}

#[test]
fn no_change_is_no_version_and_is_audited_as_a_read() {
    let world = World::new();
    world.register();
    let updated = world.update(|update| update.name = set("Ada Lovelace"));
    assert_eq!((updated.customer.version, updated.reverification.required), (1, false));
    assert_eq!(world.actions(), [Action::CustomerRegistered, Action::CustomerRead]);
}

#[test]
fn a_contact_change_leaves_the_open_verification_with_its_version() {
    let world = World::new();
    world.register();
    world.update(|update| update.email = set("ada@example.org"));
    world.run_due();
    assert_eq!(world.provider.submissions()[0].customer.email().expose(), "ada@example.com");
    assert_eq!(world.status().status, VERIFIED);
}

#[test]
fn after_a_final_rejection_a_change_is_stored_and_starts_nothing() {
    let world = World::new();
    world.register();
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    world.provider.answer_with(Ok(FakeProvider::done(Outcome::Consider, vec![certain])));
    world.run_due();
    let updated = world.update(|update| update.name = set("Ada King"));
    assert_eq!(updated.reverification.because, [Because::Final]);
    assert!(!updated.reverification.required);
    assert_eq!(updated.customer.version, 2);
    assert_eq!(world.status().status, Status::Rejected { terminal: true });
    assert!(world.run_due().is_empty());
}

#[test]
fn what_our_rules_settle_is_shown_to_no_provider() {
    let world = World::new();
    let mut child = sample_customer();
    child.date_of_birth = text("2020-01-01");
    now(world.kyc.register(&admin(), registration("a", child))).unwrap();
    world.run_due();
    let status = world.status();
    assert_eq!(status.status, Status::Rejected { terminal: false });
    assert_eq!(status.discrepancies, [Discrepancy::of(Code::PolicyAge)]);
    assert_eq!(world.provider.steps(), 0);
    // Her date of birth was a slip of the pen.
    world.update(|update| update.date_of_birth = set("1990-12-10"));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}

#[test]
fn an_expired_document_waits_for_another_one() {
    let world = World::new();
    let mut form = sample_customer();
    let mut document = passport("925076473");
    document.expires_on = text("2020-01-01");
    form.identity_document = Some(document);
    now(world.kyc.register(&admin(), registration("a", form))).unwrap();
    world.run_due();
    assert_eq!(world.status().status, Status::Pending(Stage::AwaitingCustomer));
    assert_eq!(world.status().discrepancies[0].code, Code::PolicyDocumentExpired);
    world.update(|update| update.identity_document = Patch::Set(passport("111111111")));
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
}

#[test]
fn a_provider_that_asks_the_customer_gives_a_link_for_as_long_as_it_asks() {
    let world = World::new();
    world.register();
    let link = "https://provider.example/session/1";
    world.provider.answer_with(Ok(FakeProvider::ask(link, Duration::from_secs(5))));
    assert_eq!(world.run_due(), [Ran::Saved]);
    let status = world.status();
    assert_eq!(status.status, Status::Pending(Stage::AwaitingCustomer));
    assert_eq!(status.link.unwrap().expose(), link);
    world.advance(5);
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.status().link, None);
}

#[test]
fn a_slow_provider_is_looked_at_again_and_submitted_to_once() {
    let world = World::new();
    world.register();
    for _ in 0..3 {
        world.provider.answer_with(Ok(FakeProvider::save(Duration::from_secs(10))));
    }
    for _ in 0..3 {
        assert_eq!(world.run_due(), [Ran::Saved]);
        assert_eq!(world.status().status, Status::Pending(Stage::WithProvider));
        assert!(world.run_due().is_empty(), "not due yet");
        world.advance(10);
    }
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    assert_eq!(world.provider.submissions()[0].times, 1);
    let submitted = world.actions().iter().filter(|action| **action == Action::VerificationSubmitted).count();
    assert_eq!(submitted, 1, "a look that finds nothing new is no event");
}

#[test]
fn an_id_is_registered_once() {
    let world = World::new();
    world.register();
    let again = now(world.kyc.register(&admin(), registration("a", sample_customer())));
    assert_eq!(again.unwrap_err(), RegisterError::IdTaken);
    assert_eq!(world.actions(), [Action::CustomerRegistered]);
}

#[test]
fn all_faults_come_back_together_and_nothing_is_stored() {
    let world =
        World::with(Policy { required_fields: BTreeSet::from([Field::Nationalities]), ..Policy::default() });
    let form = CustomerForm { email: text("nobody"), ..CustomerForm::default() };
    let mut request = registration("../etc", form);
    request.faults.add("/colour", "field.unknown", "no such field");
    let RegisterError::Invalid(faults) = now(world.kyc.register(&admin(), request)).unwrap_err() else {
        panic!("a fault of the input")
    };
    let pointers: Vec<_> = faults.as_slice().iter().map(|fault| fault.pointer.as_str()).collect();
    for pointer in ["/colour", "/customer_id", "/email", "/name", "/address", "/identity_document"] {
        assert!(pointers.contains(&pointer), "{pointer} of {pointers:?}");
    }
    let lacking = now(world.kyc.register(&admin(), registration("a", sample_customer()))).unwrap_err();
    assert!(lacking.to_string().contains("/nationalities: field.required"), "{lacking}");
    assert_eq!(world.store.commits(), 0);
}

#[test]
fn an_update_holds_only_for_the_version_that_was_read() {
    let world = World::new();
    world.register();
    let change = |versions: Vec<u32>| {
        let update = CustomerUpdate { email: set("ada@example.org"), ..CustomerUpdate::default() };
        let update = Update { update, only_versions: Some(versions), ..Update::default() };
        now(world.kyc.update(&admin(), &a(), update))
    };
    assert_eq!(change(vec![2]).unwrap_err(), crate::usecase::UpdateError::VersionMoved);
    assert_eq!(change(vec![7, 1]).unwrap().customer.version, 2);
    assert_eq!(change(vec![1]).unwrap_err(), crate::usecase::UpdateError::VersionMoved);
}

#[test]
fn a_customer_is_found_by_each_kind_of_personal_data_as_it_is_now() {
    let world = World::new();
    world.register();
    world.update(|update| update.email = set("Ada@Example.org"));
    let found = |fill: fn(&mut SearchForm)| {
        let mut search = Search::default();
        fill(&mut search.form);
        now(world.kyc.search(&admin(), search)).unwrap().len()
    };
    assert_eq!(found(|form| form.email = text("ada@EXAMPLE.org")), 1);
    assert_eq!(found(|form| form.email = text("ada@example.com")), 0, "the address before");
    assert_eq!(found(|form| form.phone_number = text("+442079460958")), 1);
    assert_eq!(found(|form| form.document_number = text("925076473")), 1);
    assert_eq!(
        found(|form| {
            form.name = text("ADA  LOVELACE");
            form.date_of_birth = text("1990-12-10");
        }),
        1
    );
    assert_eq!(found(|form| form.document_number = text("925076474")), 0);
    let searches = world.actions().iter().filter(|action| **action == Action::CustomersSearched).count();
    assert_eq!(searches, 6);
}

#[test]
fn a_list_is_paged_newest_first_and_filtered() {
    let world = World::new();
    for (id, born, number) in [("a", "1990-12-10", "1"), ("b", "1990-12-11", "2"), ("c", "1990-12-12", "3")] {
        let (date_of_birth, identity_document) = (text(born), Some(passport(number)));
        let form = CustomerForm { date_of_birth, identity_document, ..sample_customer() };
        now(world.kyc.register(&admin(), registration(id, form))).unwrap();
        world.advance(1);
    }
    let page = |filter, after, limit| {
        let page = now(world.kyc.customers(&admin(), filter, PageRequest { after, limit })).unwrap();
        let ids: Vec<_> = page.items.iter().map(|item| item.customer_id.as_str().to_owned()).collect();
        (ids, page.next)
    };
    let all = CustomerFilter::default();
    let (first, next) = page(all, None, 2);
    assert_eq!(first, ["c", "b"]);
    assert_eq!(page(all, next, 2), (vec![String::from("a")], None));
    let verified = CustomerFilter { status: Some(StatusKind::Verified), stage: None };
    assert_eq!(page(verified, None, 10).0, Vec::<String>::new());
    world.run_due();
    assert_eq!(page(verified, None, 10).0, ["c", "b", "a"]);
}

#[test]
fn the_report_counts_by_day_of_registration_and_status_of_now() {
    let world = World::new();
    world.register();
    world.run_due();
    world.update(|update| update.name = set("Ada King"));
    world.provider.answer_with(Ok(FakeProvider::done(
        Outcome::Consider,
        vec![Discrepancy::of(Code::MismatchName), Discrepancy::of(Code::MismatchName)],
    )));
    let today = super::super::day(crate::ports::Clock::now(&world.clock));
    let report = || now(world.kyc.report(&admin(), today, today)).unwrap();
    let counts = report().statuses;
    assert_eq!((counts.verified, counts.pending, counts.rejected), (0, 1, 0));
    world.run_due();
    let report = report();
    assert_eq!((report.total, report.statuses.pending), (1, 1));
    assert_eq!(report.discrepancies, [(Code::MismatchName, 1)]);
    assert_eq!((report.decisions.automatic, report.decisions.median_seconds), (1, Some(0)));
}

#[test]
fn a_decision_that_has_run_out_reads_as_pending_and_is_renewed() {
    let world = World::with(Policy { decision_validity_days: Some(30), ..Policy::default() });
    world.register();
    world.run_due();
    assert!(matches!(world.status().status, Status::Verified { valid_until: Some(_) }));
    assert_eq!(now(world.kyc.renew_expired(10)).unwrap(), 0);
    world.advance(30 * 86_400);
    assert_eq!(world.status().status, Status::Pending(Stage::Queued), "before any job");
    assert_eq!(world.status().decided_at, None);
    assert_eq!(now(world.kyc.renew_expired(10)).unwrap(), 1);
    assert_eq!(now(world.kyc.renew_expired(10)).unwrap(), 0);
    world.run_due();
    assert!(matches!(world.status().status, Status::Verified { .. }));
    let all = now(world.kyc.verifications(&admin(), &a())).unwrap();
    assert_eq!(all.iter().map(|one| one.cause).collect::<Vec<_>>(), [Cause::Expiry, Cause::Registration]);
    assert!(all.iter().all(|one| matches!(one.state, State::Completed(_))));
}
