//! Cases: what is kept for how long, and what is no more.

use futures_util::future::{join, join_all};
use jiff::ToSpan;
use jiff::civil::Date;

use super::commit::{commit, counts, customer, refused, registered};
use super::rows::{
    at, changeset, count, customer_id, erasure, event, fingerprint, first_day, idempotency, idempotency_key,
    provider, record, registration, registration_of, row, sealed, subject, update, verification,
    verification_id,
};
use crate::domain::audit::ChainWalk;
use crate::domain::customer::FingerprintKind;
use crate::domain::erasure::{Erasure, ErasureReason};
use crate::domain::ids::SubjectId;
use crate::domain::key_use::KeyUse;
use crate::domain::status::StatusKind;
use crate::domain::verification::Verification;
use crate::ports::Store;
use crate::ports::cipher::Fingerprint;
use crate::ports::store::{
    Changeset, Claim, CommitError, Conflict, CustomerFilter, CustomerRow, EndedRelationship, Forgetting,
    Guard, KeyCount, PageRequest, Queue, VersionRow, Write,
};

/// The erasure of a registered customer at revision 1.
fn erasing(n: u32) -> Changeset {
    let guard = Guard::Revision { subject: subject(n), revision: 1 };
    Changeset { guards: vec![guard], ..changeset(n, vec![Write::EraseCustomer(erasure(n))]) }
}

fn id(n: u32) -> Fingerprint {
    fingerprint(FingerprintKind::CustomerId, n)
}

pub(super) async fn an_end_of_a_relationship_and_a_hold_are_read_back(store: &dyn Store) {
    let days =
        [None, Some(first_day()), Some(Date::constant(1900, 1, 1)), Some(Date::constant(9999, 12, 31))];
    let mut number = 0;
    for ended_on in days {
        for hold in [None, Some(sealed(7))] {
            number += 1;
            let inserted =
                CustomerRow { relationship_ended_on: ended_on, legal_hold: hold.clone(), ..row(number) };
            commit(store, registration_of(inserted.clone(), number)).await;
            assert_eq!(customer(store, &customer_id(number)).await.row, inserted);
            let mut changed =
                CustomerRow { relationship_ended_on: None, legal_hold: None, ..inserted.clone() };
            commit(store, update(number, &mut changed)).await;
            assert_eq!(customer(store, &customer_id(number)).await.row, changed, "taken back");
            changed.relationship_ended_on = ended_on;
            changed.legal_hold = hold;
            commit(store, update(number, &mut changed)).await;
            assert_eq!(customer(store, &customer_id(number)).await.row, changed);
        }
    }
}

pub(super) async fn an_erasure_takes_everything_of_one_person_and_nothing_of_another(store: &dyn Store) {
    registered(store, [1, 2]).await;
    // Two versions, two verifications and an answer to each.
    for n in [1, 2] {
        let second = Verification { subject: subject(n), ..verification(n + 5) };
        let answer = |verification| Write::PutAnswer { verification, answer: sealed(n), at: at(n) };
        let writes = vec![
            Write::InsertVersion { subject: subject(n), version: 2, data: sealed(n + 5), at: at(n) },
            Write::PutVerification(Verification { version: 2, ..second }),
            answer(verification_id(n)),
            answer(verification_id(n + 5)),
        ];
        let record = Some(idempotency(n));
        commit(store, Changeset { idempotency: record, ..changeset(n, writes) }).await;
    }
    let before = counts(store).await;
    commit(store, erasing(1)).await;

    assert_eq!(store.customer(&customer_id(1)).await, Ok(None));
    assert_eq!(store.standing(&customer_id(1)).await, Ok(None));
    assert_eq!(store.customer_ids(&[subject(1)]).await, Ok(vec![]));
    assert_eq!(store.versions(subject(1)).await, Ok(vec![]));
    assert_eq!(store.verifications(subject(1)).await, Ok(vec![]));
    for n in [1, 6] {
        assert_eq!(store.verification(verification_id(n)).await, Ok(None));
        assert_eq!(store.answer(verification_id(n)).await, Ok(None));
    }
    for kind in FingerprintKind::ALL {
        assert_eq!(store.customers_by_fingerprints(&[fingerprint(*kind, 1)], 9).await, Ok(vec![]), "{kind}");
        assert_eq!(store.customers_by_fingerprints(&[fingerprint(*kind, 2)], 9).await, Ok(vec![record(2)]));
    }
    assert_eq!(store.recorded(idempotency_key(1)).await, Ok(None), "what was answered about the person");
    assert!(store.recorded(idempotency_key(2)).await.is_ok_and(|recorded| recorded.is_some()));
    assert_eq!(store.erasure(&[id(1)]).await, Ok(Some(erasure(1))));
    assert_eq!(store.erasure(&[id(2)]).await, Ok(None));

    let page = PageRequest { after: None, limit: 9 };
    assert_eq!(store.customers(CustomerFilter::default(), page).await, Ok(vec![record(2)]));
    assert_eq!(store.versions(subject(2)).await.map(|versions| versions.len()), Ok(2));
    assert_eq!(store.verifications(subject(2)).await.map(|all| all.len()), Ok(2));
    assert_eq!(store.answer(verification_id(7)).await, Ok(Some(sealed(2))));
    let claim = Claim { queue: Queue::Verifications, limit: 9, now: at(100), until: at(200) };
    let claimed = store.claim(claim).await.expect("a claim works");
    assert!(claimed.iter().all(|work| work.record.row.subject == subject(2)) && claimed.len() == 2);
    assert_eq!(counts(store).await, before, "counters change by what the changeset counts alone");
    let events = store.audit_events(0, 100).await.expect("a read works");
    assert_eq!(events.len(), 5);
    let mut walk = ChainWalk::default();
    for event in &events {
        walk.step(event).expect("the chain holds");
    }
    // Nothing of it is left for somebody else's rows to meet.
    let next = CustomerRow { subject: subject(9), latest: verification_id(9), ..row(1) };
    commit(store, registration_of(next.clone(), 9)).await;
    assert_eq!(customer(store, &customer_id(1)).await.row, next);
}

pub(super) async fn an_erasure_of_nobody_is_a_conflict_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1]).await;
    let nobody = changeset(2, vec![Write::EraseCustomer(erasure(2))]);
    refused(store, nobody, Some(Conflict::Revision)).await;
    commit(store, erasing(1)).await;
    let again = changeset(1, vec![Write::EraseCustomer(erasure(1))]);
    refused(store, again, Some(Conflict::Revision)).await;
    refused(store, erasing(1), Some(Conflict::Revision)).await;
    refused(store, update(3, &mut row(1)), Some(Conflict::Revision)).await;
}

pub(super) async fn a_changeset_that_fails_behind_an_erasure_leaves_the_person(store: &dyn Store) {
    registered(store, [1, 2]).await;
    let answer = Write::PutAnswer { verification: verification_id(1), answer: sealed(1), at: at(1) };
    commit(store, changeset(1, vec![answer])).await;
    let mut fails = erasing(1);
    fails.writes.push(Write::Count(count(StatusKind::Pending, -1)));
    fails.writes.extend(registration_of(CustomerRow { customer_id: customer_id(2), ..row(3) }, 3).writes);
    refused(store, fails, Some(Conflict::CustomerIdTaken)).await;
    assert_eq!(customer(store, &customer_id(1)).await, record(1));
}

pub(super) async fn an_erased_id_is_a_conflict_for_who_guards_against_it(store: &dyn Store) {
    registered(store, [1]).await;
    let guarded = |fingerprints: Vec<Fingerprint>| Changeset {
        guards: vec![Guard::NotErased(fingerprints)],
        ..registration(5)
    };
    let not_yet = Changeset { guards: vec![Guard::NotErased(vec![id(1)])], ..changeset(3, vec![]) };
    commit(store, not_yet).await;
    commit(store, erasing(1)).await;
    for fingerprints in [vec![id(1)], vec![id(2), id(1)], vec![id(1), id(2)]] {
        refused(store, guarded(fingerprints), Some(Conflict::Erased)).await;
    }
    // Another digest, another key, another kind of value: each alone is somebody else.
    let others = vec![id(2), Fingerprint { key_version: 2, ..id(1) }];
    assert_eq!(store.erasure(&others).await, Ok(None));
    assert_eq!(store.erasure(&[]).await, Ok(None));
    assert_eq!(store.erasure(&[id(2), id(1)]).await, Ok(Some(erasure(1))));
    commit(store, guarded(others)).await;
    assert_eq!(customer(store, &customer_id(5)).await, record(5));
}

pub(super) async fn of_fifty_registrations_beside_an_erasure_none_takes_the_id(store: &dyn Store) {
    registered(store, [1]).await;
    let again = |n| {
        let same_id = CustomerRow { customer_id: customer_id(1), ..row(n) };
        let guards = vec![Guard::NotErased(vec![id(1)])];
        store.commit(Changeset { guards, ..registration_of(same_id, n) })
    };
    let (erased, outcomes) = join(store.commit(erasing(1)), join_all((2..52).map(again))).await;
    assert_eq!(erased, Ok(()));
    for outcome in outcomes {
        let refusals = [Conflict::CustomerIdTaken, Conflict::Erased].map(CommitError::Conflict);
        assert!(outcome.is_err_and(|error| refusals.contains(&error)));
    }
    assert_eq!(store.customer(&customer_id(1)).await, Ok(None));
}

pub(super) async fn a_worker_whose_customer_was_erased_meets_a_conflict(store: &dyn Store) {
    registered(store, [1]).await;
    let claim = Claim { queue: Queue::Verifications, limit: 9, now: at(100), until: at(200) };
    let claimed = store.claim(claim).await.expect("a claim works");
    commit(store, erasing(1)).await;
    let lease = Guard::Lease(claimed[0].lease);
    let late = Changeset { guards: vec![lease], ..changeset(2, vec![]) };
    refused(store, late, Some(Conflict::LeaseLost)).await;
    refused(store, update(3, &mut row(1)), Some(Conflict::Revision)).await;
}

fn forgetting(n: u32) -> Forgetting {
    Forgetting {
        verification: verification_id(n),
        subject: subject(n),
        provider: provider(),
        key: row(n).key.wrapped,
        progress: Some(sealed(n)),
        erased_at: at(n),
        failures: n,
        due_at: at(n + 10),
    }
}

pub(super) async fn what_providers_are_to_forget_is_due_until_it_is_removed(store: &dyn Store) {
    registered(store, [1]).await;
    let later = Forgetting { progress: None, failures: u32::MAX, due_at: at(5), ..forgetting(3) };
    let all = [forgetting(1), forgetting(2), later.clone()];
    commit(store, changeset(1, all.iter().cloned().map(Write::PutForgetting).collect())).await;
    assert_eq!(store.forgettings(None, 9).await, Ok(all.to_vec()));
    assert_eq!(store.forgettings(Some(verification_id(1)), 1).await, Ok(vec![forgetting(2)]));
    let due = async |now, limit| store.due_forgettings(at(now), limit).await.expect("a read works");
    assert_eq!(due(4, 9).await, []);
    assert_eq!(due(11, 9).await, [later.clone(), forgetting(1)]);
    assert_eq!(due(99, 2).await, [later, forgetting(1)]);

    // A row that is put again takes the place of the one before, and the person's own erasure leaves it.
    let again = Forgetting { failures: 7, due_at: at(50), ..forgetting(1) };
    commit(store, changeset(2, vec![Write::PutForgetting(again.clone())])).await;
    commit(store, erasing(1)).await;
    assert_eq!(due(49, 9).await.len(), 2);
    assert_eq!(due(50, 9).await.last(), Some(&again));
    let wrapped = |count: &KeyCount| count.version == again.key.master_version;
    let counts = store.key_counts(KeyUse::Master).await.expect("a read works");
    assert_eq!(counts.iter().filter(|count| wrapped(count)).map(|count| count.customers).sum::<u64>(), 3);

    for n in [1, 1, 9] {
        commit(store, changeset(3, vec![Write::RemoveForgetting(verification_id(n))])).await;
    }
    assert_eq!(store.forgettings(None, 9).await.map(|left| left.len()), Ok(2));
    let fails = Changeset {
        guards: vec![Guard::Revision { subject: subject(1), revision: 1 }],
        ..changeset(4, vec![Write::RemoveForgetting(verification_id(2))])
    };
    refused(store, fails, Some(Conflict::Revision)).await;
    assert_eq!(store.forgettings(None, 9).await.map(|left| left.len()), Ok(2));
}

pub(super) async fn an_erasure_is_remembered_once(store: &dyn Store) {
    let remember = |erasure| changeset(1, vec![Write::RememberErasure(erasure)]);
    commit(store, remember(erasure(1))).await;
    let again = Erasure { subject: subject(2), at: at(7), reason: ErasureReason::CourtOrder, ..erasure(1) };
    commit(store, remember(again)).await;
    commit(store, remember(erasure(1))).await;
    assert_eq!(store.erasures(None, 9).await, Ok(vec![erasure(1)]));
    let guarded = Changeset { guards: vec![Guard::NotErased(vec![id(1)])], ..registration(1) };
    refused(store, guarded, Some(Conflict::Erased)).await;
}

pub(super) async fn erasures_are_read_back_by_subject_and_page_by_page(store: &dyn Store) {
    let mut written = Vec::new();
    for (n, reason) in (1..).zip(ErasureReason::ALL.iter().cycle().take(11)) {
        // Fingerprints sort otherwise than subjects do.
        let fingerprint = Fingerprint { key_version: n % 3, ..id(100 - n) };
        written.push(Erasure { fingerprint, reason: *reason, ..erasure(n) });
    }
    for erasure in written.iter().rev() {
        commit(store, changeset(1, vec![Write::RememberErasure(*erasure)])).await;
    }
    for limit in [1, 2, 5, 11, 100] {
        let mut walked: Vec<Erasure> = Vec::new();
        loop {
            let after: Option<SubjectId> = walked.last().map(|erasure| erasure.subject);
            let page = store.erasures(after, limit).await.expect("a read works");
            assert!(
                page.len() <= limit as usize
                    && page.iter().all(|one| after.is_none_or(|at| one.subject > at))
            );
            if page.is_empty() {
                break;
            }
            walked.extend(page);
        }
        assert_eq!(walked, written, "{limit} at a time");
    }
    for erasure in written {
        assert_eq!(store.erasure(&[erasure.fingerprint]).await, Ok(Some(erasure)));
    }
}

pub(super) async fn versions_are_oldest_first_with_their_times(store: &dyn Store) {
    registered(store, [1, 2]).await;
    for version in [3, 2, 300] {
        let data = sealed(version);
        let insert = Write::InsertVersion { subject: subject(1), version, data, at: at(version) };
        commit(store, changeset(1, vec![insert])).await;
    }
    let version = |version, n| VersionRow { version, data: sealed(n), at: at(n) };
    let all = vec![version(1, 1), version(2, 2), version(3, 3), version(300, 300)];
    assert_eq!(store.versions(subject(1)).await, Ok(all));
    assert_eq!(store.versions(subject(2)).await, Ok(vec![version(1, 2)]));
    assert_eq!(store.versions(subject(3)).await, Ok(vec![]));
}

pub(super) async fn ended_relationships_are_listed_by_day_and_subject_without_those_on_hold(
    store: &dyn Store,
) {
    let on = |days: i64| first_day() + days.days();
    // The end of each, as days; some share one, and they are registered in another order.
    let ends =
        [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20)), (5, Some(10)), (6, Some(15)), (7, Some(99))];
    for (n, ended) in ends {
        let hold = (n == 6).then(|| sealed(6));
        let row = CustomerRow { relationship_ended_on: ended.map(on), legal_hold: hold, ..row(n) };
        commit(store, registration_of(row, n)).await;
    }
    let place = |n: u32, days| EndedRelationship {
        ended_on: on(days),
        subject: subject(n),
        customer_id: customer_id(n),
    };
    let due = async |before, after, limit| store.retention_due(on(before), after, limit).await;
    assert_eq!(due(9, None, 9).await, Ok(vec![]));
    assert_eq!(due(10, None, 9).await, Ok(vec![place(2, 10), place(5, 10)]));
    let all = vec![place(2, 10), place(5, 10), place(4, 20), place(1, 30)];
    assert_eq!(due(30, None, 9).await, Ok(all.clone()));
    for skipped in 0..=all.len() {
        let after = skipped.checked_sub(1).map(|last| (all[last].ended_on, all[last].subject));
        for limit in [0, 1, 2, 9] {
            let rest: Vec<_> = all.iter().skip(skipped).take(limit as usize).cloned().collect();
            assert_eq!(due(30, after, limit).await, Ok(rest), "{limit} behind {skipped}");
        }
    }
    // A hold that is lifted puts the customer back, and one that is set takes the customer out.
    let held = |n, hold: bool| {
        let legal_hold = hold.then(|| sealed(n));
        CustomerRow { relationship_ended_on: Some(on(15)), legal_hold, ..row(n) }
    };
    commit(store, update(8, &mut held(6, false))).await;
    commit(store, update(9, &mut held(2, true))).await;
    assert_eq!(due(20, None, 9).await, Ok(vec![place(5, 10), place(6, 15), place(4, 20)]));
    commit(store, Changeset { audit: vec![event(5)], ..erasing(5) }).await;
    assert_eq!(due(20, None, 9).await, Ok(vec![place(6, 15), place(4, 20)]));
}
