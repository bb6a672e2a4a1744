//! Who may do what, and who sees what (I7).

use super::*;
use crate::domain::api_key::ApiKeyForm;
use crate::domain::customer::SearchForm;
use crate::domain::permission::{Forbidden, Permission, Role};
use crate::ports::Clock;
use crate::ports::store::{AuditFilter, CustomerFilter, PageRequest};
use crate::usecase::{
    ApiKeyError, AuditError, AuditQuery, AuthenticateError, CreateApiKey, CreatedApiKey, CustomerError,
    ListError, RegisterError, ReportError, RequestError, Search, SearchError, StatusError, UpdateError,
    VerificationsError,
};

fn actor(role: Role) -> Actor {
    Actor::account(role.as_str(), role).unwrap()
}

#[test]
fn a_use_case_is_refused_to_a_role_without_its_permission_before_anything_is_looked_up() {
    for role in Role::ALL {
        let world = World::new();
        let who = actor(*role);
        // Whoever may gets an answer of the use case itself: nobody is there.
        let nobody = CustomerId::parse("nobody").unwrap();
        let check = |permission: Permission, refused: bool| {
            assert_eq!(refused, !role.may(permission), "{role} {permission}");
        };
        let register = now(world.kyc.register(&who, Register::default())).unwrap_err();
        check(Permission::WriteCustomers, register == RegisterError::Forbidden(Forbidden));
        let update = now(world.kyc.update(&who, &nobody, Update::default())).unwrap_err();
        check(Permission::WriteCustomers, update == UpdateError::Forbidden(Forbidden));
        let read = now(world.kyc.customer(&who, &nobody, Reveal::AsUsual)).unwrap_err();
        check(Permission::ReadCustomers, read == CustomerError::Forbidden(Forbidden));
        let page = PageRequest { after: None, limit: 1 };
        let list = now(world.kyc.customers(&who, CustomerFilter::default(), page)).err();
        check(Permission::ReadCustomers, list == Some(ListError::Forbidden(Forbidden)));
        let search = now(world.kyc.search(&who, Search::default())).unwrap_err();
        check(Permission::ReadCustomers, search == SearchError::Forbidden(Forbidden));
        let status = now(world.kyc.status(&who, &nobody)).unwrap_err();
        check(Permission::ReadStatus, status == StatusError::Forbidden(Forbidden));
        let all = now(world.kyc.verifications(&who, &nobody)).unwrap_err();
        check(Permission::ReadStatus, all == VerificationsError::Forbidden(Forbidden));
        let request = now(world.kyc.request_verification(&who, &nobody)).unwrap_err();
        check(Permission::RequestVerification, request == RequestError::Forbidden(Forbidden));
        let day = super::super::day(Clock::now(&world.clock));
        let report = now(world.kyc.report(&who, day, day)).err();
        check(Permission::ReadReport, report == Some(ReportError::Forbidden(Forbidden)));
        let audit = now(world.kyc.audit_events(&who, AuditQuery::default())).err();
        check(Permission::ReadAudit, audit == Some(AuditError::Forbidden(Forbidden)));
        let keys = now(world.kyc.api_keys(&who)).err();
        check(Permission::ManageKeys, keys == Some(ApiKeyError::Forbidden(Forbidden)));
        let create = now(world.kyc.create_api_key(&who, CreateApiKey::default())).unwrap_err();
        check(Permission::ManageKeys, create == ApiKeyError::Forbidden(Forbidden));
    }
}

#[test]
fn each_role_sees_what_it_may_and_what_is_seen_is_audited() {
    for (role, name, number, events) in [
        (Role::Client, "••••••••", "••••••••", 0),
        (Role::Auditor, "••••••••", "••••••••", 0),
        (Role::Reviewer, "Ada Lovelace", "••••••••", 3),
        (Role::Admin, "Ada Lovelace", "925076473", 3),
    ] {
        let world = World::new();
        world.register();
        let who = actor(role);
        let one = now(world.kyc.customer(&who, &a(), Reveal::AsUsual)).unwrap();
        let page = PageRequest { after: None, limit: 1 };
        let list = now(world.kyc.customers(&who, CustomerFilter::default(), page)).unwrap();
        let form = SearchForm { email: text("ada@example.com"), ..SearchForm::default() };
        let found = now(world.kyc.search(&who, Search { form, ..Search::default() })).unwrap();
        for view in [&one, &list.items[0], &found[0]] {
            assert_eq!(view.shown.name.expose(), name, "{role}");
            assert_eq!(view.shown.identity_document.number.expose(), number, "{role}");
        }
        let shown = world.actions().into_iter().filter(|action| {
            matches!(action, Action::CustomerRead | Action::CustomersListed | Action::CustomersSearched)
        });
        // A search is audited for every role: it tells whether a person is a customer.
        assert_eq!(shown.count(), events.max(1), "{role}");
    }
}

#[test]
fn numbers_are_revealed_to_who_sees_the_rest_and_the_event_says_so() {
    let world = World::new();
    world.register();
    let reveal = |role| now(world.kyc.customer(&actor(role), &a(), Reveal::Numbers));
    let view = reveal(Role::Reviewer).unwrap();
    assert_eq!(view.shown.identity_document.number.expose(), "925076473");
    let fields = world.audit().pop().unwrap().event.fields;
    assert!(fields.contains(&crate::domain::field::Field::IdentityDocument));
    for role in [Role::Client, Role::Auditor] {
        assert_eq!(reveal(role).unwrap_err(), CustomerError::Forbidden(Forbidden), "{role}");
    }
}

fn create(world: &World, fill: impl FnOnce(&mut ApiKeyForm)) -> CreatedApiKey {
    let mut form =
        ApiKeyForm { name: Some("app".into()), role: Some("client".into()), ..ApiKeyForm::default() };
    fill(&mut form);
    now(world.kyc.create_api_key(&admin(), CreateApiKey { form, ..CreateApiKey::default() })).unwrap()
}

#[test]
fn a_key_names_its_holder_until_it_is_revoked() {
    let world = World::new();
    let CreatedApiKey { key, secret } = create(&world, |form| form.subject = Some("team-a".into()));
    let held = now(world.kyc.authenticate(secret.expose(), None)).unwrap();
    let holder = Actor::of_key(&held);
    assert_eq!((holder.role(), holder.subject()), ("client", "team-a"));
    assert_eq!(holder.to_string(), format!("client:team-a#{}", key.id));

    now(world.kyc.revoke_api_key(&admin(), key.id)).unwrap();
    let dead = now(world.kyc.authenticate(secret.expose(), None)).unwrap_err();
    assert_eq!(dead, AuthenticateError::Unknown);
    now(world.kyc.revoke_api_key(&admin(), key.id)).unwrap();
    assert_eq!(world.actions(), [Action::ApiKeyCreated, Action::ApiKeyRevoked], "once revoked stays revoked");
    assert_eq!(world.audit()[1].event.target, Some(format!("api_key:{}", key.id)));
    let unknown = crate::domain::ids::ApiKeyId::from_bytes([9; 16]);
    assert_eq!(now(world.kyc.revoke_api_key(&admin(), unknown)), Err(ApiKeyError::NotFound));
}

#[test]
fn a_key_ends_by_itself_and_is_bound_to_its_addresses() {
    let world = World::new();
    let end = (Clock::now(&world.clock) + SignedDuration::from_secs(60)).to_string();
    let created = create(&world, |form| {
        form.expires_at = Some(end);
        form.allowed_addresses = Some(vec!["10.0.0.0/8".into()]);
    });
    let from = |address: &str| {
        now(world.kyc.authenticate(created.secret.expose(), Some(address.parse().unwrap()))).is_ok()
    };
    assert!(from("10.1.2.3") && !from("192.0.2.1"));
    world.advance(60);
    assert!(!from("10.1.2.3"));
}

#[test]
fn uses_are_recorded_and_never_go_back() {
    let world = World::new();
    let id = create(&world, |_| {}).key.id;
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    now(world.kyc.record_key_uses([(id, at(100))])).unwrap();
    now(world.kyc.record_key_uses([(id, at(50))])).unwrap();
    assert_eq!(now(world.kyc.api_keys(&admin())).unwrap()[0].last_used_at, Some(at(100)));
}

#[test]
fn audit_events_are_found_by_what_is_asked_for_page_by_page() {
    let world = World::new();
    world.register();
    now(world.kyc.register(&admin(), registration("b", sample_customer()))).unwrap();
    world.run_due();
    let read = |query: AuditQuery| now(world.kyc.audit_events(&actor(Role::Auditor), query)).unwrap();
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let sequences: Vec<u64> = read(all.clone()).items.iter().map(|item| item.chained.sequence).collect();
    assert_eq!(sequences, [4, 3, 2, 1], "newest first");
    let of_a = read(AuditQuery { customer_id: Some(a()), ..all.clone() });
    assert_eq!(of_a.items.len(), 2);
    assert!(of_a.items.iter().all(|item| item.customer_id == Some(a())));
    let by_worker = AuditFilter { actor: Some("system:worker".into()), ..AuditFilter::default() };
    assert_eq!(read(AuditQuery { filter: by_worker, ..all.clone() }).items.len(), 2);
    let decided = AuditFilter { action: Some(Action::VerificationDecided), ..AuditFilter::default() };
    assert_eq!(read(AuditQuery { filter: decided, ..all.clone() }).items.len(), 2);
    let nobody = AuditQuery { customer_id: Some(CustomerId::parse("c").unwrap()), ..all.clone() };
    assert!(read(nobody).items.is_empty());

    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = read(AuditQuery { before, limit: 3, ..AuditQuery::default() });
        seen.extend(page.items.iter().map(|item| item.chained.sequence));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1]);
}
