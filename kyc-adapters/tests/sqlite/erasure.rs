//! After an erasure no byte of the person is in the database or its log, whatever the pages went through before,
//! and everybody else is as before.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;
use std::task::Poll;

use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows;
use kyc_core::domain::customer::FingerprintKind;
use kyc_core::domain::erasure::{Erasure, ErasureReason};
use kyc_core::domain::ids::CustomerId;
use kyc_core::domain::status::{Stage, Status};
use kyc_core::domain::verification::Verification;
use kyc_core::ports::Store;
use kyc_core::ports::cipher::{DataKey, Fingerprint, Sealed, WrappedKey};
use kyc_core::ports::store::{Changeset, CustomerReads, CustomerRow, ErasureReads, Write};
use rusqlite::Connection;

use super::{chain, fresh};

/// So many bytes in a row are no chance.
const WINDOW: usize = 12;

/// Numbers that look random and are the same every time (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_le_bytes()).flatten().take(length).collect()
    }
}

/// A customer, and all bytes that were ever stored of it.
struct Person {
    row: CustomerRow,
    verification: Verification,
    stored: Vec<Vec<u8>>,
}

impl Person {
    fn new(n: u32, numbers: &mut Numbers) -> (Self, Changeset) {
        let id = format!("{:016x}{:016x}", numbers.next(), numbers.next());
        let wrapped = numbers.bytes(61);
        let mut row = rows::row(n);
        row.customer_id = CustomerId::parse(&id).unwrap();
        row.key = DataKey { wrapped: WrappedKey { master_version: 1, bytes: wrapped.clone() }, messages: 1 };
        let mut person =
            Self { row, verification: rows::verification(n), stored: vec![id.into_bytes(), wrapped] };
        let mut changeset = rows::registration_of(person.row.clone(), n);
        for write in &mut changeset.writes {
            if let Write::InsertVersion { data, .. } = write {
                *data = person.sealed(numbers, 500);
            }
            if let Write::ReplaceFingerprints { fingerprints, .. } = write {
                *fingerprints = person.fingerprints(numbers);
            }
        }
        (person, changeset)
    }

    fn sealed(&mut self, numbers: &mut Numbers, about: usize) -> Sealed {
        let length = about / 2 + numbers.below(about);
        let bytes = numbers.bytes(length);
        self.stored.push(bytes.clone());
        Sealed::from_bytes(bytes)
    }

    fn fingerprints(&mut self, numbers: &mut Numbers) -> Vec<Fingerprint> {
        let kinds = FingerprintKind::ALL.iter().filter(|kind| **kind != FingerprintKind::CustomerId);
        let all: Vec<_> = kinds
            .map(|kind| Fingerprint {
                kind: *kind,
                key_version: 1,
                digest: numbers.bytes(32).try_into().unwrap(),
            })
            .collect();
        self.stored.extend(all.iter().map(|fingerprint| fingerprint.digest.to_vec()));
        all
    }

    /// A change of one kind or another, which makes rows longer and shorter.
    fn change(&mut self, n: u32, numbers: &mut Numbers) -> Changeset {
        let hold = numbers.below(3) == 0;
        self.row.legal_hold = hold.then(|| self.sealed(numbers, 200));
        self.row.status = match numbers.below(3) {
            0 => Status::Verified { valid_until: Some(rows::at(n)) },
            1 => Status::Rejected { terminal: false },
            _ => Status::Pending(Stage::AwaitingCustomer),
        };
        self.row.relationship_ended_on = (numbers.below(2) == 0).then(rows::first_day);
        self.row.version += 1;
        let mut changeset = rows::update(n, &mut self.row);
        let subject = self.row.subject;
        let data = self.sealed(numbers, 700);
        changeset.writes.push(Write::InsertVersion {
            subject,
            version: self.row.version,
            data,
            at: rows::at(n),
        });
        if numbers.below(2) == 0 {
            let fingerprints = self.fingerprints(numbers);
            changeset.writes.push(Write::ReplaceFingerprints { subject, fingerprints });
        }
        self.verification.progress = Some(self.sealed(numbers, 150));
        self.verification.link = (numbers.below(2) == 0).then(|| self.sealed(numbers, 80));
        changeset.writes.push(Write::PutVerification(self.verification.clone()));
        // Some do not fit a page.
        let about = if numbers.below(9) == 0 { 9000 } else { 900 };
        let answer = self.sealed(numbers, about);
        let verification = self.verification.id;
        changeset.writes.push(Write::PutAnswer { verification, answer, at: rows::at(n) });
        changeset
    }

    fn erasure(&self, n: u32) -> Changeset {
        let fingerprint = rows::fingerprint(FingerprintKind::CustomerId, n);
        let subject = self.row.subject;
        let erasure = Erasure { fingerprint, subject, at: rows::at(n), reason: ErasureReason::CourtOrder };
        rows::changeset(n, vec![Write::EraseCustomer(erasure)])
    }
}

/// How many of the windows of these values stand in the files of a folder.
fn found(folder: &Path, values: &[&Vec<u8>]) -> usize {
    let windows: HashSet<&[u8]> = values.iter().flat_map(|value| value.windows(WINDOW)).collect();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.map(|bytes| bytes.windows(WINDOW).filter(|window| windows.contains(window)).count()).sum()
}

/// A copy of the folder as it lies on the disk. Another process makes it, since reading the database's file here
/// would end the locks that are on it.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let status = Command::new("cp").arg("-r").arg(folder.join(".")).arg(copy.path()).status().unwrap();
    assert!(status.success());
    copy
}

async fn completed(store: &SqliteStore) {
    while store.pending_erasures() > 0 {
        store.ready().await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Commits them all, in their order: each is queued when its future is first polled.
async fn flush(store: &SqliteStore, waiting: &mut Vec<Changeset>) {
    let mut commits: Vec<_> = waiting.drain(..).map(|changeset| store.commit(changeset)).collect();
    std::future::poll_fn(|context| {
        commits.retain_mut(|commit| match commit.as_mut().poll(context) {
            Poll::Ready(outcome) => {
                outcome.unwrap();
                false
            }
            Poll::Pending => true,
        });
        if commits.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_pages_went_through_nothing_of_who_was_erased_is_left_and_all_others_are() {
    let (store, folder) = fresh();
    let mut numbers = Numbers(1);
    let (mut here, mut gone): (Vec<Person>, Vec<Person>) = (Vec::new(), Vec::new());
    let mut waiting = Vec::new();
    // So many that without the clearing of pages some of them would be left in gaps.
    for n in 0..6000_u32 {
        match numbers.below(8) {
            0..3 => {
                let (person, changeset) = Person::new(n, &mut numbers);
                waiting.push(changeset);
                here.push(person);
            }
            3 if here.len() > 50 => {
                let person = here.swap_remove(numbers.below(here.len()));
                waiting.push(person.erasure(n));
                gone.push(person);
            }
            _ if here.is_empty() => {}
            _ => {
                let index = numbers.below(here.len());
                waiting.push(here[index].change(n, &mut numbers));
            }
        }
        if waiting.len() == 200 {
            flush(&store, &mut waiting).await;
        }
    }
    flush(&store, &mut waiting).await;
    completed(&store).await;
    let left = copy(folder.path());
    let values: Vec<&Vec<u8>> = gone.iter().flat_map(|one| &one.stored).collect();
    assert_eq!(found(left.path(), &values), 0, "bytes of {} people who were erased", gone.len());

    // Everybody else is there, and the search does find what is there.
    assert!(here.iter().take(5).all(|person| found(left.path(), &[&person.stored[1]]) > 0));
    for person in &here {
        let record = store.customer(&person.row.customer_id).await.unwrap().unwrap();
        assert_eq!(record.row, person.row);
    }
    assert_eq!(store.erasures(None, 10_000).await.unwrap().len(), gone.len());
    chain(&store).await;
    store.close().await;
    let database = Connection::open(folder.path().join("kyc.db")).unwrap();
    let checked: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(checked, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_pending_while_a_reader_is_in_the_way_and_writes_go_on() {
    let (store, folder) = fresh();
    let mut numbers = Numbers(2);
    let (person, changeset) = Person::new(1, &mut numbers);
    store.commit(changeset).await.unwrap();
    let foreign = Connection::open(folder.path().join("kyc.db")).unwrap();
    foreign.execute_batch("BEGIN; SELECT count(*) FROM customers").unwrap();
    store.commit(person.erasure(1)).await.unwrap();
    for n in 2..5 {
        store.commit(rows::registration(n)).await.unwrap();
        assert_eq!(store.pending_erasures(), 1);
    }
    let values: Vec<&Vec<u8>> = person.stored.iter().collect();
    assert!(found(copy(folder.path()).path(), &values) > 0, "the log has it, for the reader");
    foreign.execute_batch("COMMIT").unwrap();
    completed(&store).await;
    assert_eq!(found(copy(folder.path()).path(), &values), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_that_died_left_in_the_log_goes_at_the_next_start() {
    let (store, folder) = fresh();
    let mut numbers = Numbers(3);
    let (person, changeset) = Person::new(1, &mut numbers);
    store.commit(changeset).await.unwrap();
    let foreign = Connection::open(folder.path().join("kyc.db")).unwrap();
    foreign.execute_batch("BEGIN; SELECT count(*) FROM customers").unwrap();
    store.commit(person.erasure(1)).await.unwrap();
    let died = copy(folder.path());
    let values: Vec<&Vec<u8>> = person.stored.iter().collect();
    assert!(found(died.path(), &values) > 0);
    let store = SqliteStore::open(SqliteConfig::new(died.path())).unwrap();
    completed(&store).await;
    assert_eq!(found(copy(died.path()).path(), &values), 0);
    assert_eq!(store.erasures(None, 9).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_files_of_who_was_erased_is_left_also_of_those_on_their_way() {
    let (store, folder) = fresh();
    let mut numbers = Numbers(4);
    let (mut gone, mut stays) = (Vec::new(), Vec::new());
    for n in 1..=2 {
        store.commit(rows::registration(n)).await.unwrap();
        let kept = if n == 1 { &mut gone } else { &mut stays };
        for (file, is_named) in [(10 * n, true), (10 * n + 1, false), (10 * n + 2, true)] {
            let mut upload = rows::upload(file, n, 0, 5);
            for chunk in &mut upload.chunks {
                let bytes = numbers.bytes(64 * 1024 + 61);
                kept.push(bytes.clone());
                *chunk = Sealed::from_bytes(bytes);
            }
            store.stage(upload).await.unwrap();
            if is_named {
                let mut row = rows::document(file, n, 5);
                let digest = numbers.bytes(93);
                kept.push(digest.clone());
                row.digest = Sealed::from_bytes(digest);
                store.commit(rows::changeset(file, vec![Write::AttachDocument(row)])).await.unwrap();
            }
        }
    }
    let gone: Vec<&Vec<u8>> = gone.iter().collect();
    assert!(found(copy(folder.path()).path(), &gone) > 0, "the search finds what is there");
    store.commit(rows::changeset(90, vec![Write::EraseCustomer(rows::erasure(1))])).await.unwrap();
    completed(&store).await;
    let left = copy(folder.path());
    assert_eq!(found(left.path(), &gone), 0);
    assert!(stays.iter().all(|value| found(left.path(), &[value]) > 0));
}
