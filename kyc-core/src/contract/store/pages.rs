//! Cases: lists are in their order, and whole.

use super::commit::{commit, registered};
use super::fields::every_status;
use super::rows::{
    at, changeset, customer_id, fingerprint, record, registration_of, row, subject, update, verification,
};
use crate::domain::customer::FingerprintKind;
use crate::domain::ids::{CustomerId, SubjectId};
use crate::domain::status::{Stage, Status, StatusKind};
use crate::domain::verification::Verification;
use crate::ports::Store;
use crate::ports::cipher::Fingerprint;
use crate::ports::store::{CustomerFilter, CustomerRow, PageRequest, Sharing, Write};

async fn page(
    store: &dyn Store,
    filter: CustomerFilter,
    after: Option<SubjectId>,
    limit: u32,
) -> Vec<SubjectId> {
    let page = store.customers(filter, PageRequest { after, limit }).await.expect("a read works");
    assert!(page.iter().all(|one| one.row.subject == one.latest.subject), "each with its own verification");
    let page: Vec<_> = page.into_iter().map(|one| one.row.subject).collect();
    // A store that begins a page with its cursor would have the walk below go on for ever.
    assert!(page.iter().all(|one| after.is_none_or(|cursor| *one < cursor)), "all stand behind the cursor");
    page
}

/// All pages of a list, each begun behind the last one of the page before.
async fn walk(store: &dyn Store, filter: CustomerFilter, limit: u32) -> Vec<SubjectId> {
    let mut walked = Vec::new();
    loop {
        let page = page(store, filter, walked.last().copied(), limit).await;
        assert!(page.len() <= usize::try_from(limit).expect("a small number"), "a page has its limit");
        if page.is_empty() {
            return walked;
        }
        walked.extend(page);
    }
}

pub(super) async fn pages_are_newest_first_without_gap_or_repeat_under_every_filter(store: &dyn Store) {
    let mut there: Vec<(SubjectId, Status)> = Vec::new();
    for (n, status) in (1..=25).zip(every_status().into_iter().cycle()) {
        there.push((subject(n), status));
    }
    // Registered out of order, since the ids of two that register at once may be made in the other order.
    for (index, (subject, status)) in there.iter().enumerate().rev() {
        let n = u32::try_from(index + 1).expect("a small number");
        commit(store, registration_of(CustomerRow { subject: *subject, status: *status, ..row(n) }, n)).await;
    }
    let kinds = || std::iter::once(None).chain(StatusKind::ALL.iter().copied().map(Some));
    let stages = || std::iter::once(None).chain(Stage::ALL.iter().copied().map(Some));
    for filter in kinds().flat_map(|status| stages().map(move |stage| CustomerFilter { status, stage })) {
        let passing = there.iter().rev().filter(|(_, status)| filter.passes(*status));
        let expected: Vec<_> = passing.map(|(subject, _)| *subject).collect();
        for limit in [1, 2, 7, 25, 1000] {
            assert_eq!(walk(store, filter, limit).await, expected, "{filter:?}, {limit} a page");
        }
    }
}

pub(super) async fn a_page_goes_on_behind_its_cursor_whatever_came_since(store: &dyn Store) {
    registered(store, (10..=50).step_by(10)).await;
    let pending = CustomerFilter { status: Some(StatusKind::Pending), stage: None };
    assert_eq!(page(store, pending, None, 2).await, [50, 40].map(subject));

    // Newer ones do not move what follows, and the cursor holds after its own row has left the filter.
    registered(store, [60, 45, 35]).await;
    let mut verified = CustomerRow { status: Status::Verified { valid_until: None }, ..row(40) };
    commit(store, update(1, &mut verified)).await;
    assert_eq!(page(store, pending, Some(subject(40)), 2).await, [35, 30].map(subject));
    assert_eq!(page(store, pending, Some(subject(30)), 2).await, [20, 10].map(subject));
    assert_eq!(page(store, pending, Some(subject(10)), 2).await, []);
    // A cursor is a place in the order, whether somebody is there or not.
    assert_eq!(page(store, pending, Some(subject(25)), 9).await, [20, 10].map(subject));
}

pub(super) async fn a_fingerprint_finds_those_who_have_it_newest_first(store: &dyn Store) {
    registered(store, [2, 3, 1, 4]).await;
    let shared = fingerprint(FingerprintKind::Document, 99);
    for n in [3, 1, 2] {
        let own = fingerprint(FingerprintKind::Email, n);
        let fingerprints = vec![own, shared];
        let write = Write::ReplaceFingerprints { subject: subject(n), fingerprints };
        commit(store, changeset(n, vec![write])).await;
    }
    let found = async |fingerprint, limit| {
        let found = store.customers_by_fingerprints(&[fingerprint], limit).await.expect("a read works");
        found.into_iter().map(|one| one.row.subject).collect::<Vec<_>>()
    };
    assert_eq!(found(shared, 9).await, [3, 2, 1].map(subject));
    assert_eq!(found(shared, 2).await, [3, 2].map(subject));
    assert_eq!(store.customers_by_fingerprints(&[shared], 1).await, Ok(vec![record(3)]));
    assert_eq!(found(Fingerprint { kind: FingerprintKind::Email, ..shared }, 9).await, []);
    assert_eq!(found(Fingerprint { key_version: 2, ..shared }, 9).await, []);
    assert_eq!(found(fingerprint(FingerprintKind::Document, 98), 9).await, []);
}

pub(super) async fn who_has_one_of_many_fingerprints_is_found_once(store: &dyn Store) {
    registered(store, [1, 2, 3, 4]).await;
    let kind = FingerprintKind::Document;
    // As many as there are countries.
    let mut wanted: Vec<_> = (100..350).map(|n| fingerprint(kind, n)).collect();
    wanted.extend([2, 3].map(|n| fingerprint(FingerprintKind::Email, n)));
    let fingerprints = vec![fingerprint(kind, 120), fingerprint(kind, 121), fingerprint(kind, 1)];
    commit(store, changeset(1, vec![Write::ReplaceFingerprints { subject: subject(1), fingerprints }])).await;
    assert_eq!(store.customers_by_fingerprints(&wanted, 9).await, Ok(vec![record(3), record(2), record(1)]));
    assert_eq!(store.customers_by_fingerprints(&wanted, 2).await, Ok(vec![record(3), record(2)]));
    assert_eq!(store.customers_by_fingerprints(&[], 9).await, Ok(vec![]));
}

pub(super) async fn those_who_share_a_fingerprint_are_told_for_each(store: &dyn Store) {
    registered(store, [1, 2, 3, 4, 5]).await;
    let (document, name) = (FingerprintKind::Document, FingerprintKind::NameAndBirth);
    let (first, second) = (fingerprint(document, 99), fingerprint(name, 99));
    for (n, fingerprints) in
        [(1, vec![first, second]), (2, vec![first]), (3, vec![first, second]), (4, vec![])]
    {
        commit(store, changeset(n, vec![Write::ReplaceFingerprints { subject: subject(n), fingerprints }]))
            .await;
    }
    let mut refused = CustomerRow { status: Status::Rejected { terminal: true }, ..row(3) };
    commit(store, update(6, &mut refused)).await;
    let wanted = [first, Fingerprint { key_version: 2, ..first }, fingerprint(document, 98), second];
    let sharing = async |except, limit| {
        let found = store.sharing(&wanted, subject(except), limit).await.expect("a read works");
        found.into_iter().map(|one| (one.kind, one.subject)).collect::<Vec<_>>()
    };
    let of =
        |all: &[(FingerprintKind, u32)]| all.iter().map(|(kind, n)| (*kind, subject(*n))).collect::<Vec<_>>();
    assert_eq!(sharing(5, 9).await, of(&[(document, 3), (document, 2), (document, 1), (name, 3), (name, 1)]));
    assert_eq!(sharing(5, 1).await, of(&[(document, 3), (name, 3)]));
    assert_eq!(sharing(3, 1).await, of(&[(document, 2), (name, 1)]));
    assert_eq!(sharing(3, 9).await, of(&[(document, 2), (document, 1), (name, 1)]));
    let one =
        Sharing { kind: name, subject: subject(3), customer_id: customer_id(3), status: refused.status };
    assert_eq!(store.sharing(&[second], subject(1), 9).await, Ok(vec![one]));
    assert_eq!(store.sharing(&[], subject(1), 9).await, Ok(vec![]));
}

pub(super) async fn decisions_that_ran_out_are_listed_earliest_first(store: &dyn Store) {
    let until = [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20)), (5, Some(40))];
    for (n, valid_until) in until {
        let status = Status::Verified { valid_until: valid_until.map(at) };
        commit(store, registration_of(CustomerRow { status, ..row(n) }, n)).await;
    }
    registered(store, [6]).await;
    let expired = async |now, limit| store.expired_customers(at(now), limit).await;
    let those = |numbers: &[u32]| Ok(numbers.iter().map(|n| customer_id(*n)).collect::<Vec<CustomerId>>());
    assert_eq!(expired(9, 9).await, those(&[]));
    assert_eq!(expired(10, 9).await, those(&[2]));
    assert_eq!(expired(30, 9).await, those(&[2, 4, 1]));
    assert_eq!(expired(1000, 2).await, those(&[2, 4]));
    // Who is no longer verified has no decision that could run out.
    let mut waiting = row(2);
    commit(store, update(7, &mut waiting)).await;
    let mut renewed = CustomerRow { status: Status::Verified { valid_until: Some(at(50)) }, ..row(4) };
    commit(store, update(8, &mut renewed)).await;
    assert_eq!(expired(1000, 9).await, those(&[1, 5, 4]));
}

pub(super) async fn verifications_are_of_one_customer_and_newest_first(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let of = |n, customer| Verification { subject: subject(customer), ..verification(n) };
    for (n, customer) in [(5, 1), (3, 1), (4, 2), (9, 1)] {
        commit(store, changeset(n, vec![Write::PutVerification(of(n, customer))])).await;
    }
    assert_eq!(store.verifications(subject(1)).await, Ok([9, 5, 3, 1].map(|n| of(n, 1)).to_vec()));
    assert_eq!(store.verifications(subject(2)).await, Ok([4, 2].map(|n| of(n, 2)).to_vec()));
    assert_eq!(store.verifications(subject(3)).await, Ok(vec![]));
}
