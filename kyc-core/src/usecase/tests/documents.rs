//! Files of a customer: added, listed, read, removed, submitted, erased.

mod altered;

use jiff::ToSpan;

use super::*;
use crate::domain::customer::{ConsentForm, FingerprintKind};
use crate::domain::discrepancy::{Code, Discrepancy, Severity};
use crate::domain::document_file::{CheckedFile, DocumentFile, Side};
use crate::domain::erasure::ErasureReason;
use crate::domain::field::Field;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::DocumentId;
use crate::domain::key_use::KeyUse;
use crate::domain::permission::{Forbidden, Role};
use crate::domain::status::Stage;
use crate::domain::verification::{Cause, State};
use crate::ports::Cipher;
use crate::ports::cipher::{CipherError, DataKey};
use crate::ports::provider::Outcome;
use crate::ports::store::{
    Changeset, Conflict, CustomerReads, DocumentReads, DocumentRow, Store, StoreError, Upload, Write,
};
use crate::usecase::{
    Absence, AddDocument, AddDocumentError, Asked, DocumentError, DocumentView, DocumentsError, Erase,
    PortFailure, RemoveDocumentError, Rendered, SetLegalHold,
};

/// A PDF of as many bytes as are wanted, and no fewer than it needs.
fn pdf(length: usize, mark: u8) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let table = format!("xref\nstartxref\n{:010}\n%%EOF\n", 0).into_bytes();
    bytes.resize(length.saturating_sub(table.len()).max(bytes.len()), mark);
    let at = bytes.len();
    bytes.extend(format!("xref\nstartxref\n{at:010}\n%%EOF\n").into_bytes());
    bytes
}

fn file(length: usize, mark: u8) -> CheckedFile {
    CheckedFile::check(Secret::new(pdf(length, mark))).unwrap()
}

impl World {
    fn try_add(&self, side: Side, length: usize, mark: u8) -> Result<DocumentView, AddDocumentError> {
        now(self.kyc.add_document(&admin(), &a(), AddDocument { side, file: file(length, mark) }))
    }

    #[track_caller]
    fn add_file(&self, side: Side, length: usize, mark: u8) -> DocumentView {
        self.try_add(side, length, mark).unwrap()
    }

    fn files(&self) -> Vec<DocumentView> {
        now(self.kyc.documents(&admin(), &a())).unwrap()
    }

    fn content(&self, document: DocumentId) -> Result<Vec<u8>, DocumentError> {
        let mut reader = now(self.kyc.document_content(&admin(), &a(), document))?;
        let mut all = Vec::new();
        while let Some(chunk) = now(reader.next_chunk())? {
            assert!(chunk.expose().len() <= DocumentFile::CHUNK_BYTES);
            all.extend_from_slice(chunk.expose());
        }
        Ok(all)
    }

    fn remove(&self, document: DocumentId) -> Result<(), RemoveDocumentError> {
        now(self.kyc.remove_document(&admin(), &a(), document))
    }

    /// How many of the customers have a file like this, by its fingerprint under the current key.
    fn sharing(&self, view: &DocumentView) -> usize {
        let fingerprint = self.cipher.fingerprint(FingerprintKind::File, &view.digest.to_hex());
        now(self.store.customers_by_fingerprints(&[fingerprint], 10)).unwrap().len()
    }

    /// Has the provider find the picture unreadable, which leaves the customer to send another.
    fn await_customer(&self) {
        let unreadable = vec![Discrepancy::of(Code::ImageUnreadable)];
        self.provider.answer_with(Ok(FakeProvider::done(Outcome::Unusable, unreadable)));
        self.run_due();
        assert_eq!(self.status().status, Status::Pending(Stage::AwaitingCustomer));
    }

    fn consent(&self) {
        let consent = ConsentForm {
            purpose: text("biometric"),
            given_at: text("2026-01-01T00:00:00Z"),
            text_version: text("1"),
        };
        self.update(|update| update.consents = Patch::Set(vec![consent]));
    }

    /// A changeset that nobody asked for, as of who edits the database by hand.
    fn write(&self, writes: Vec<Write>) {
        let id = crate::domain::ids::ChangesetId::new(FakeClock::START, [1; 10]);
        let changeset = Changeset { id, guards: Vec::new(), writes, audit: Vec::new(), idempotency: None };
        now(self.store.commit(changeset)).unwrap();
    }

    fn first_row(&self) -> DocumentRow {
        let subject = now(self.store.customer(&a())).unwrap().unwrap().row.subject;
        now(self.store.documents(subject)).unwrap().remove(0)
    }

    /// The same file with other chunks, and other words about it.
    fn forge(&self, change: impl FnOnce(&mut DocumentRow), chunks: Vec<crate::ports::cipher::Sealed>) {
        let mut row = self.first_row();
        let (subject, document) = (row.subject, row.file.id);
        self.write(vec![Write::RemoveDocument { subject, document }]);
        let at = FakeClock::START;
        now(self.store.stage(Upload { subject, document, at, first: 0, chunks })).unwrap();
        change(&mut row);
        self.write(vec![Write::AttachDocument(row)]);
    }

    fn chunks(&self, document: DocumentId) -> Vec<crate::ports::cipher::Sealed> {
        let mut all = Vec::new();
        while let Some(chunk) = now(self.store.chunk(document, u32::try_from(all.len()).unwrap())).unwrap() {
            all.push(chunk);
        }
        all
    }
}

#[test]
fn a_file_comes_back_as_it_was_whatever_its_size() {
    let world = World::new();
    world.register();
    let chunk = DocumentFile::CHUNK_BYTES;
    for (n, size) in [60, chunk, chunk + 1, 3 * chunk, 17 * chunk + 9].into_iter().enumerate() {
        let mark = u8::try_from(n).unwrap();
        let view = world.add_file(Side::Front, size, mark);
        assert_eq!(view.file.size, pdf(size, mark).len() as u64);
        assert_eq!(world.content(view.file.id), Ok(pdf(size, mark)), "{size}");
        assert_eq!(world.files().last(), Some(&view));
        world.advance(1);
    }
    assert_eq!(world.files().len(), 5);
    assert_eq!(now(world.store.oldest_upload()), Ok(None), "nothing is left on its way");
}

#[test]
fn each_step_has_its_event_with_the_file_and_the_messages_are_counted() {
    let world = World::new();
    world.register();
    let before = now(world.store.customer(&a())).unwrap().unwrap().row.key.messages;
    let view = world.add_file(Side::ProofOfAddress, 3 * DocumentFile::CHUNK_BYTES, 1);
    let after = now(world.store.customer(&a())).unwrap().unwrap().row.key.messages;
    assert_eq!(after - before, view.file.chunks() + 1, "the chunks and the digest");
    world.content(view.file.id).unwrap();
    world.remove(view.file.id).unwrap();
    let events = world.audit();
    let told: Vec<_> = events.iter().skip(1).map(|event| event.event.action).collect();
    assert_eq!(told, [Action::DocumentAdded, Action::DocumentRead, Action::DocumentRemoved]);
    for event in &events[1..] {
        assert_eq!(event.event.target, Some(format!("document:{}", view.file.id)));
        assert_eq!(event.event.fields, [Field::FileProofOfAddress]);
        assert_eq!((event.event.from, event.event.to), (None, None), "no status moved");
    }
    assert_eq!(world.files(), []);
    assert_eq!(world.content(view.file.id), Err(DocumentError::NotFound));
    assert_eq!(world.remove(view.file.id), Err(RemoveDocumentError::NotFound));
}

#[test]
fn who_may_not_is_told_so_whoever_is_asked_for() {
    let world = World::new();
    world.register();
    let view = world.add_file(Side::Front, 60, 1);
    for role in Role::ALL {
        let who = Actor::account("somebody", *role).unwrap();
        for id in ["a", "nobody"] {
            let id = CustomerId::parse(id).unwrap();
            let document = view.file.id;
            let request = AddDocument { side: Side::Front, file: file(60, 2) };
            let forbidden = |may: bool, is_forbidden: bool| assert_eq!(!may, is_forbidden, "{role} {id}");
            let writes = matches!(role, Role::Client | Role::Admin);
            let added = now(world.kyc.add_document(&who, &id, request));
            forbidden(writes, added == Err(AddDocumentError::Forbidden(Forbidden)));
            let listed = now(world.kyc.documents(&who, &id));
            forbidden(true, listed == Err(DocumentsError::Forbidden(Forbidden)));
            let read = now(world.kyc.document_content(&who, &id, document)).map(drop);
            forbidden(
                matches!(role, Role::Reviewer | Role::Admin),
                read == Err(DocumentError::Forbidden(Forbidden)),
            );
            let nothing = DocumentId::from_bytes([7; 16]);
            let removed = now(world.kyc.remove_document(&who, &id, nothing));
            forbidden(writes, removed == Err(RemoveDocumentError::Forbidden(Forbidden)));
        }
    }
}

#[test]
fn a_selfie_needs_the_consent_and_goes_to_no_provider_once_it_is_taken_back() {
    let world = World::new();
    world.register();
    assert_eq!(world.try_add(Side::Selfie, 60, 1), Err(AddDocumentError::ConsentRequired));
    assert_eq!(now(world.store.oldest_upload()), Ok(None), "nothing of it was stored");
    world.consent();
    world.add_file(Side::Selfie, 60, 1);
    world.provider.read_files(Side::ALL);
    world.run_due();
    assert_eq!(world.provider.files(), [], "the attempt is of the version before the consent");
    now(world.kyc.request_verification(&admin(), &a())).unwrap();
    world.run_due();
    assert_eq!(world.provider.files(), [(Side::Selfie, pdf(60, 1))]);
    world.update(|update| update.consents = Patch::Clear);
    now(world.kyc.request_verification(&admin(), &a())).unwrap();
    world.run_due();
    assert_eq!(world.provider.files().len(), 1);
}

#[test]
fn there_is_a_limit_of_files_and_a_place_is_free_again_once_one_is_removed() {
    let world = World::with(Policy { documents_per_customer: 2, ..Policy::default() });
    world.register();
    let first = world.add_file(Side::Front, 60, 1);
    world.add_file(Side::Back, 60, 2);
    assert_eq!(world.try_add(Side::Front, 60, 3), Err(AddDocumentError::LimitReached));
    world.remove(first.file.id).unwrap();
    world.add_file(Side::Front, 60, 3);
}

#[test]
fn who_is_not_there_and_who_was_erased_has_no_files() {
    let world = World::new();
    assert_eq!(world.try_add(Side::Front, 60, 1), Err(AddDocumentError::Absent(Absence::NotFound)));
    world.register();
    let view = world.add_file(Side::Front, 200_000, 1);
    let request = Erase { reason: ErasureReason::CourtOrder, override_retention: true };
    now(world.kyc.erase(&admin(), &a(), request)).unwrap();
    let gone = Absence::Erased;
    assert_eq!(world.try_add(Side::Front, 60, 1), Err(AddDocumentError::Absent(gone)));
    assert_eq!(now(world.kyc.documents(&admin(), &a())), Err(DocumentsError::Absent(gone)));
    assert_eq!(world.content(view.file.id), Err(DocumentError::Absent(gone)));
    assert_eq!(world.remove(view.file.id), Err(RemoveDocumentError::Absent(gone)));
    assert_eq!(now(world.store.chunk(view.file.id, 0)), Ok(None));
    assert_eq!(world.sharing(&view), 0);
}

#[test]
fn a_legal_hold_keeps_files_too() {
    let world = World::new();
    world.register();
    let view = world.add_file(Side::Front, 60, 1);
    let hold = SetLegalHold { reason: text("case 7"), ..SetLegalHold::default() };
    now(world.kyc.set_legal_hold(&admin(), &a(), hold)).unwrap();
    assert_eq!(world.remove(view.file.id), Err(RemoveDocumentError::LegalHold));
    now(world.kyc.lift_legal_hold(&admin(), &a())).unwrap();
    assert_eq!(world.remove(view.file.id), Ok(()));
}

#[test]
fn a_new_file_starts_the_next_attempt_where_the_customer_was_asked_and_nowhere_else() {
    let world = World::new();
    world.register();
    let attempts = || now(world.kyc.verifications(&admin(), &a())).unwrap();
    world.add_file(Side::Front, 60, 1);
    assert_eq!(attempts().len(), 1, "one is queued already");
    world.await_customer();
    world.add_file(Side::Front, 60, 2);
    let latest = attempts().remove(0);
    assert_eq!((latest.cause, latest.state), (Cause::Document, State::Queued));
    assert_eq!(world.status().status, Status::Pending(Stage::Queued));
    let event = world.audit().pop().unwrap().event;
    assert_eq!((event.action, event.reason.as_deref()), (Action::DocumentAdded, Some("document")));
    assert_eq!(event.verification, Some(latest.id));
    assert_eq!((event.from.unwrap().as_str(), event.to.unwrap().as_str()), ("awaiting_customer", "queued"));
    world.add_file(Side::Back, 60, 3);
    assert_eq!(attempts().len(), 2, "that one takes the second file along");
    world.run_due();
    assert_eq!(world.status().status, VERIFIED);
    world.add_file(Side::Back, 60, 4);
    assert_eq!((attempts().len(), world.status().status), (2, VERIFIED));
}

#[test]
fn a_file_does_not_overtake_an_attempt_at_which_the_customer_is_asked_for_a_visit() {
    let world = World::new();
    world.register();
    world
        .provider
        .answer_with(Ok(FakeProvider::ask("https://example.com/visit", std::time::Duration::from_secs(5))));
    world.run_due();
    assert_eq!(world.status().status, Status::Pending(Stage::AwaitingCustomer));
    world.add_file(Side::Front, 60, 1);
    assert_eq!(now(world.kyc.verifications(&admin(), &a())).unwrap().len(), 1);
}

#[test]
fn past_the_daily_limit_the_attempt_of_a_file_waits_and_after_a_final_rejection_none_starts() {
    let world = World::with(Policy { verifications_per_day: 1, ..Policy::default() });
    world.register();
    world.await_customer();
    world.add_file(Side::Front, 60, 1);
    let status = world.status();
    assert_eq!(status.status, Status::Pending(Stage::Queued));
    assert_eq!(status.next_attempt_at, Some(FakeClock::START + 24.hours()));
    assert_eq!(world.run_due(), []);

    let world = World::new();
    world.register();
    let certain = Discrepancy { severity: Severity::Critical, ..Discrepancy::of(Code::Compromised) };
    world.provider.answer_with(Ok(FakeProvider::done(Outcome::Consider, vec![certain])));
    world.run_due();
    world.add_file(Side::Front, 60, 1);
    assert_eq!(world.status().status, Status::Rejected { terminal: true });
    assert_eq!((world.files().len(), now(world.kyc.verifications(&admin(), &a())).unwrap().len()), (1, 1));
}

#[test]
fn a_provider_is_given_what_it_asks_for_and_that_alone_is_audited() {
    let world = World::new();
    world.register();
    world.add_file(Side::Front, 200_000, 1);
    world.add_file(Side::Back, 60, 2);
    world.provider.read_files(&[Side::Front]);
    world.provider.answer_with(Ok(FakeProvider::save(std::time::Duration::from_secs(5))));
    world.run_due();
    assert_eq!(world.provider.files(), [(Side::Front, pdf(200_000, 1))]);
    let disclosed = |world: &World| world.audit().pop().unwrap().event.fields;
    let fields = disclosed(&world);
    assert!(fields.contains(&Field::FileFront) && !fields.contains(&Field::FileBack), "{fields:?}");
    // A file that goes along at a later step is in the event of that step.
    world.provider.read_files(&[Side::Back]);
    world.advance(5);
    world.run_due();
    assert_eq!(disclosed(&world), [Field::FileBack]);
}

#[test]
fn the_same_bytes_for_two_customers_share_a_fingerprint_through_every_change() {
    let world = World::new();
    world.register();
    let b = CustomerId::parse("b").unwrap();
    now(world.kyc.register(&admin(), registration("b", sample_customer()))).unwrap();
    let view = world.add_file(Side::Front, 60, 1);
    let request = AddDocument { side: Side::Back, file: file(60, 1) };
    let theirs = now(world.kyc.add_document(&admin(), &b, request)).unwrap();
    assert_eq!(world.sharing(&view), 2);
    let twice = world.add_file(Side::Back, 60, 1);
    world.update(|update| update.email = set("ada@example.org"));
    assert_eq!(world.sharing(&view), 2, "a change of the data keeps it");
    world.cipher.rotate(KeyUse::Fingerprint);
    assert_eq!(world.sharing(&view), 0);
    let operator = Actor::operator(0);
    let mut rewrap = std::pin::pin!(world.kyc.rewrap(&operator, KeyUse::Fingerprint, &|_, _| {}));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    while rewrap.as_mut().poll(&mut context).is_pending() {}
    assert_eq!(world.sharing(&view), 2, "and so does a rotation");
    world.remove(twice.file.id).unwrap();
    assert_eq!(world.sharing(&view), 2, "the other one is the same file");
    world.remove(view.file.id).unwrap();
    assert_eq!(world.sharing(&view), 1);
    now(world.kyc.remove_document(&admin(), &b, theirs.file.id)).unwrap();
    assert_eq!(world.sharing(&view), 0);
    let email = now(world.kyc.search(
        &admin(),
        crate::usecase::Search {
            form: crate::domain::customer::SearchForm {
                email: text("ada@example.org"),
                ..Default::default()
            },
            ..Default::default()
        },
    ));
    assert_eq!(email.unwrap().len(), 1, "what else was fingerprinted is still there");
}

#[test]
fn a_race_is_decided_again_and_the_file_is_staged_once() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(Conflict::Revision);
    world.store.fail_next_commit(Conflict::Revision);
    let view = world.add_file(Side::Front, 200_000, 1);
    assert_eq!(world.content(view.file.id), Ok(pdf(200_000, 1)));
    assert_eq!(world.files().len(), 1);
}

#[test]
fn what_never_became_a_file_is_swept_after_an_hour() {
    let world = World::new();
    world.register();
    world.store.fail_next_commit(StoreError::Unavailable);
    assert!(world.try_add(Side::Front, 200_000, 1).is_err());
    world.add_file(Side::Front, 60, 2);
    world.advance(3599);
    assert_eq!(now(world.kyc.forget_uploads(10)), Ok(0));
    assert!(now(world.store.oldest_upload()).unwrap().is_some());
    world.advance(1);
    assert_eq!(now(world.kyc.forget_uploads(10)), Ok(1));
    assert_eq!((now(world.store.oldest_upload()), world.files().len()), (Ok(None), 1));
}

#[test]
fn the_same_request_again_is_answered_alike_and_adds_nothing() {
    let world = World::new();
    world.register();
    let key = IdempotencyKey::parse("k").unwrap();
    let asked = Asked { key: &key, method: "POST", path: "/x", body: b"front" };
    let render = |answer: crate::usecase::Answer<'_>| Rendered {
        status: 201,
        headers: Vec::new(),
        body: Secret::new(format!("{answer:?}").into_bytes()),
    };
    let under = world.kyc.under_key(&admin(), asked, render);
    let add =
        || now(under.add_document(&admin(), &a(), AddDocument { side: Side::Front, file: file(60, 1) }));
    add().unwrap();
    let permission = crate::domain::permission::Permission::WriteCustomers;
    assert!(now(under.recall(&admin(), permission)).unwrap().is_some());
    assert_eq!(add(), Err(AddDocumentError::Failed(PortFailure::InFlight)));
    assert_eq!(world.files().len(), 1);
}

#[test]
fn an_export_lists_the_files() {
    let world = World::new();
    world.register();
    let view = world.add_file(Side::Front, 60, 1);
    assert_eq!(now(world.kyc.export(&admin(), &a())).unwrap().documents, [view]);
}
