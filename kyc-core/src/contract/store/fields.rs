//! Cases: every value is read back as it was written.

use jiff::{SignedDuration, Timestamp};

use super::commit::{commit, customer, registered};
use super::rows::{
    at, changeset, customer_id, fingerprint, provider, registration_of, row, sealed, subject, update,
    verification, verification_id,
};
use crate::domain::customer::FingerprintKind;
use crate::domain::discrepancy::{Code, Discrepancy, ProviderCode, Severity};
use crate::domain::field::Field;
use crate::domain::ids::ProviderName;
use crate::domain::status::{Stage, Status};
use crate::domain::verification::{Cause, Event, Finding, State, StateKind, Verification};
use crate::ports::Store;
use crate::ports::cipher::{DataKey, Fingerprint, Sealed, WrappedKey};
use crate::ports::provider::Answer;
use crate::ports::store::{CustomerRow, Write};

pub(super) fn every_status() -> Vec<Status> {
    let mut statuses: Vec<_> = Stage::ALL.iter().map(|stage| Status::Pending(*stage)).collect();
    statuses.extend([None, Some(at(86_400))].map(|valid_until| Status::Verified { valid_until }));
    statuses.extend([false, true].map(|terminal| Status::Rejected { terminal }));
    statuses
}

fn every_state() -> Vec<State> {
    let mut states = vec![State::Queued, State::Submitted, State::Failed, State::Superseded];
    states.extend(Finding::ALL.iter().map(|finding| State::Completed(*finding)));
    states
}

/// Writes a verification and reads it back by each read that tells one.
async fn check(store: &dyn Store, verification: Verification) {
    commit(store, changeset(1, vec![Write::PutVerification(verification.clone())])).await;
    let read = store.verification(verification.id).await.expect("a read works").expect("it is there");
    assert_eq!(read.verification, verification);
    let all = store.verifications(verification.subject).await.expect("a read works");
    assert_eq!(all.iter().find(|one| one.id == verification.id), Some(&verification));
    let record = customer(store, &read.row.customer_id).await;
    if record.row.latest == verification.id {
        assert_eq!(record.latest, verification);
    }
}

pub(super) async fn every_status_is_read_back(store: &dyn Store) {
    registered(store, [1]).await;
    let mut row = row(1);
    for status in every_status() {
        for decided_at in [None, Some(at(5))] {
            row = CustomerRow { status, decided_at, ..row };
            commit(store, update(2, &mut row)).await;
            assert_eq!(customer(store, &row.customer_id).await.row, row);
        }
        let n = 10 + u32::try_from(row.revision).expect("a small number");
        let inserted = CustomerRow { status, ..super::rows::row(n) };
        commit(store, registration_of(inserted.clone(), n)).await;
        assert_eq!(customer(store, &inserted.customer_id).await.row, inserted);
    }
}

pub(super) async fn every_state_and_cause_is_read_back(store: &dyn Store) {
    registered(store, [1]).await;
    let states =
        every_state().into_iter().flat_map(|state| Cause::ALL.iter().map(move |cause| (state, *cause)));
    for (n, (state, cause)) in (2..).zip(states) {
        let provider = ProviderName::parse(&format!("provider_{n}-x")).expect("a name of the right form");
        // What a state can't have, such as a time at which an ended one falls due, a store may refuse.
        let open = |value| state.is_open().then_some(value);
        let ended = |value| (!state.is_open()).then_some(value);
        let submitted = (state.kind() == StateKind::Submitted).then(|| at(n + 300));
        let bare = Verification {
            state,
            cause,
            provider,
            subject: subject(1),
            scheduled_for: at(n + 100),
            due_at: open(at(n + 200)),
            submitted_at: submitted,
            completed_at: ended(at(n + 400)),
            ..verification(n)
        };
        check(store, bare.clone()).await;
        let full = Verification {
            failures: n,
            attempted: true,
            progress: Some(sealed(n)),
            reference: Some([0xab; 32]),
            link: state.is_open().then(|| sealed(n + 1)),
            discrepancies: vec![Discrepancy::of(Code::Tampered)],
            submitted_at: submitted.or(ended(at(n + 300))),
            ..bare.clone()
        };
        check(store, full).await;
        // What was there and is no more has to go, too.
        check(store, bare).await;
    }
}

pub(super) async fn every_discrepancy_is_read_back(store: &dyn Store) {
    registered(store, [1]).await;
    let fields = || std::iter::once(None).chain(Field::ALL.iter().copied().map(Some));
    let code = ProviderCode::sanitised(&"a:B.c_9-".repeat(8));
    let mut all = Vec::new();
    for severity in Severity::ALL {
        all.extend(
            Code::ALL.iter().map(|code| Discrepancy { severity: *severity, ..Discrepancy::of(*code) }),
        );
    }
    for provider in [None, Some(provider())] {
        for provider_code in [None, code.clone()] {
            let of = |field| Discrepancy {
                field,
                provider: provider.clone(),
                provider_code: provider_code.clone(),
                ..Discrepancy::of(Code::MismatchName)
            };
            all.extend(fields().map(of));
        }
    }
    // Twice the same is twice there, and in no order but the one that was written.
    all.reverse();
    for chunk in all.chunks(Answer::MAX_DISCREPANCIES / 2) {
        check(store, Verification { discrepancies: [chunk, chunk].concat(), ..verification(1) }).await;
    }
    check(store, verification(1)).await;
}

pub(super) async fn times_are_kept_to_the_nanosecond(store: &dyn Store) {
    let nanosecond = SignedDuration::from_nanos(1);
    let times = [
        Timestamp::UNIX_EPOCH,
        Timestamp::UNIX_EPOCH + nanosecond,
        Timestamp::constant(1_767_225_600, 0),
        Timestamp::constant(1_767_225_600, 999_999_999),
        Timestamp::constant(1_767_225_600, 120_000_000),
        Timestamp::constant(7_258_118_400, 0) - nanosecond,
    ];
    for (n, time) in (1..).zip(times) {
        let inserted = CustomerRow {
            status: Status::Verified { valid_until: Some(time) },
            registered_at: time,
            updated_at: time,
            decided_at: Some(time),
            ..row(n)
        };
        commit(store, registration_of(inserted.clone(), n)).await;
        assert_eq!(customer(store, &customer_id(n)).await.row, inserted);
        let submitted = Verification {
            state: State::Submitted,
            scheduled_for: time,
            due_at: Some(time),
            created_at: time,
            submitted_at: Some(time),
            ..verification(n)
        };
        check(store, submitted.clone()).await;
        check(store, submitted.ended(Event::GivenUp, time).expect("an open verification ends")).await;
        // Times must not only be told to the nanosecond, but compared so.
        let early = store.expired_customers(time - nanosecond, 9).await.expect("a read works");
        assert!(!early.contains(&customer_id(n)), "{time} is not past a nanosecond before");
        let late = store.expired_customers(time, 9).await.expect("a read works");
        assert!(late.contains(&customer_id(n)), "{time} is past");
    }
}

pub(super) async fn sealed_bytes_are_kept_bit_for_bit(store: &dyn Store) {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let values = [vec![0], vec![0xff; 2], every_byte.clone(), every_byte.repeat(1024 + 1)];
    for (n, bytes) in (1..).zip(values) {
        let sealed = Sealed::from_bytes(bytes.clone());
        let wrapped = WrappedKey { master_version: 3, bytes: bytes.into_iter().take(300).collect() };
        let mut inserted = row(n);
        inserted.key.wrapped = wrapped;
        commit(store, registration_of(inserted.clone(), n)).await;
        check(
            store,
            Verification { progress: Some(sealed.clone()), link: Some(sealed.clone()), ..verification(n) },
        )
        .await;
        inserted.version = 2;
        let mut changeset = update(n, &mut inserted);
        changeset.writes.extend([
            Write::InsertVersion { subject: subject(n), version: 2, data: sealed.clone(), at: at(n) },
            Write::PutAnswer { verification: verification_id(n), answer: sealed.clone(), at: at(n) },
        ]);
        commit(store, changeset).await;
        let read = customer(store, &customer_id(n)).await;
        assert_eq!((&read.row, &read.data), (&inserted, &sealed));
        assert_eq!(store.answer(verification_id(n)).await, Ok(Some(sealed)));
    }
}

pub(super) async fn numbers_are_kept_at_their_limits(store: &dyn Store) {
    // A revision counts writes of one customer; many engines have no wider integer than this one.
    let revision = i64::MAX.unsigned_abs();
    for (n, number) in [(1, 0), (2, 1), (3, 1 << 31), (4, u32::MAX)] {
        registered(store, [n]).await;
        let wrapped = WrappedKey { master_version: number, bytes: vec![1] };
        let mut extreme = row(n);
        extreme.key = DataKey { wrapped, messages: number };
        extreme.version = number.max(2);
        let key_version = number;
        let fingerprint = Fingerprint { key_version, ..fingerprint(FingerprintKind::Email, 9) };
        let (subject, version) = (subject(n), extreme.version);
        let mut changeset = update(n, &mut extreme);
        extreme.revision = revision;
        changeset.writes.extend([
            Write::UpdateCustomer(extreme.clone()),
            Write::InsertVersion { subject, version, data: sealed(n), at: at(n) },
            Write::ReplaceFingerprints { subject, fingerprints: vec![fingerprint] },
        ]);
        commit(store, changeset).await;
        check(store, Verification { failures: number, version, ..verification(n) }).await;
        assert_eq!(customer(store, &customer_id(n)).await.row, extreme);
        let found = store.customers_by_fingerprints(&[fingerprint], 9).await.expect("a read works");
        assert_eq!(found.iter().map(|one| one.row.subject).collect::<Vec<_>>(), [subject]);
    }
}
