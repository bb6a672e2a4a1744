//! Cases: files, their chunks, and what is on its way.

use super::commit::{commit, refused, registered};
use super::rows::{at, changeset, chunk, document, document_id, erasure, sealed, subject, upload};
use crate::domain::document_file::{DocumentFile, MediaType, Side};
use crate::ports::Store;
use crate::ports::cipher::Sealed;
use crate::ports::store::{CommitError, Conflict, DocumentRow, StoreError, Write};

async fn staged(store: &dyn Store, n: u32, of: u32, chunks: u32) {
    store.stage(upload(n, of, 0, chunks)).await.expect("it is staged");
}

/// Stages a file and names it.
async fn added(store: &dyn Store, n: u32, of: u32, chunks: u32) -> DocumentRow {
    staged(store, n, of, chunks).await;
    let row = document(n, of, chunks);
    commit(store, changeset(n, vec![Write::AttachDocument(row.clone())])).await;
    row
}

async fn documents(store: &dyn Store, of: u32) -> Vec<DocumentRow> {
    store.documents(subject(of)).await.expect("a read works")
}

/// The chunks of a file from the first one on, as far as they are there.
async fn chunks(store: &dyn Store, n: u32) -> Vec<Sealed> {
    let mut all = Vec::new();
    while let Some(chunk) =
        store.chunk(document_id(n), all.len().try_into().expect("few")).await.expect("a read works")
    {
        all.push(chunk);
    }
    all
}

pub(super) async fn a_file_is_what_was_staged_once_a_changeset_names_it(store: &dyn Store) {
    registered(store, [1]).await;
    assert_eq!((documents(store, 1).await, chunks(store, 7).await), (vec![], vec![]));
    assert_eq!(store.oldest_upload().await, Ok(None));
    // In two pieces, the second of which comes twice.
    store.stage(upload(7, 1, 0, 2)).await.expect("it is staged");
    for _ in 0..2 {
        store.stage(upload(7, 1, 2, 3)).await.expect("it is staged");
    }
    assert_eq!((documents(store, 1).await, chunks(store, 7).await), (vec![], vec![]), "not named yet");
    assert_eq!(store.oldest_upload().await, Ok(Some(at(7))));
    commit(store, changeset(7, vec![Write::AttachDocument(document(7, 1, 5))])).await;
    assert_eq!(documents(store, 1).await, [document(7, 1, 5)]);
    assert_eq!(chunks(store, 7).await, (0..5).map(|index| chunk(7, index)).collect::<Vec<_>>());
    assert_eq!(store.chunk(document_id(7), u32::MAX).await, Ok(None));
    assert_eq!(store.oldest_upload().await, Ok(None));
}

pub(super) async fn every_side_and_media_type_is_read_back(store: &dyn Store) {
    registered(store, [1]).await;
    let kinds =
        Side::ALL.iter().flat_map(|side| MediaType::ALL.iter().map(move |media_type| (*side, *media_type)));
    let mut expected = Vec::new();
    for (n, (side, media_type)) in (1..).zip(kinds) {
        let plain = document(n, 1, 1);
        let size = if n == 1 { 1 } else { u64::from(n) * 1000 };
        let row = DocumentRow { file: DocumentFile { side, media_type, size, ..plain.file }, ..plain };
        staged(store, n, 1, row.file.chunks()).await;
        commit(store, changeset(n, vec![Write::AttachDocument(row.clone())])).await;
        expected.push(row);
    }
    assert_eq!(documents(store, 1).await, expected);
}

pub(super) async fn a_file_that_is_not_whole_or_of_another_fails_and_leaves_nothing(store: &dyn Store) {
    registered(store, [1, 2]).await;
    store.stage(upload(7, 1, 0, 2)).await.expect("it is staged");
    store.stage(upload(8, 1, 1, 1)).await.expect("it is staged");
    for wrong in [
        document(7, 1, 3),
        document(7, 1, 1),
        document(7, 2, 2),
        document(8, 1, 2),
        document(8, 1, 1),
        document(9, 1, 1),
    ] {
        refused(store, changeset(3, vec![Write::AttachDocument(wrong)]), None).await;
    }
    assert_eq!(
        store.stage(upload(7, 2, 2, 1)).await,
        Err(CommitError::Store(StoreError::Corrupt)),
        "another's"
    );
    assert_eq!((documents(store, 1).await, documents(store, 2).await), (vec![], vec![]));
    commit(store, changeset(3, vec![Write::AttachDocument(document(7, 1, 2))])).await;
    refused(store, changeset(3, vec![Write::AttachDocument(document(7, 1, 2))]), None).await;
}

pub(super) async fn a_file_that_was_named_is_not_staged_again(store: &dyn Store) {
    registered(store, [1]).await;
    added(store, 7, 1, 2).await;
    for first in [0, 2] {
        let again = store.stage(upload(7, 1, first, 1)).await;
        assert_eq!(again, Err(CommitError::Store(StoreError::Corrupt)));
    }
    assert_eq!(chunks(store, 7).await, [chunk(7, 0), chunk(7, 1)]);
    assert_eq!(store.oldest_upload().await, Ok(None));
}

pub(super) async fn nothing_is_staged_of_who_is_not_there(store: &dyn Store) {
    registered(store, [1]).await;
    assert_eq!(store.stage(upload(7, 2, 0, 1)).await, Err(CommitError::Conflict(Conflict::Revision)));
    assert_eq!(store.oldest_upload().await, Ok(None));
}

pub(super) async fn the_files_of_a_customer_are_theirs_alone_and_oldest_first(store: &dyn Store) {
    registered(store, [1, 2]).await;
    for (n, of) in [(9, 1), (5, 2), (3, 1), (7, 1)] {
        added(store, n, of, 1).await;
    }
    staged(store, 8, 1, 1).await;
    assert_eq!(documents(store, 1).await, [document(3, 1, 1), document(7, 1, 1), document(9, 1, 1)]);
    assert_eq!(documents(store, 2).await, [document(5, 2, 1)]);
    assert_eq!(documents(store, 3).await, []);
}

pub(super) async fn a_file_is_removed_with_its_chunks_by_whose_it_is(store: &dyn Store) {
    registered(store, [1, 2]).await;
    for n in [7, 8] {
        added(store, n, 1, 2).await;
    }
    let remove =
        |of, n| changeset(n, vec![Write::RemoveDocument { subject: subject(of), document: document_id(n) }]);
    commit(store, remove(2, 7)).await;
    assert_eq!(documents(store, 1).await.len(), 2, "of another nothing is removed");
    commit(store, remove(1, 7)).await;
    assert_eq!((documents(store, 1).await, chunks(store, 7).await), (vec![document(8, 1, 2)], vec![]));
    assert_eq!(chunks(store, 8).await.len(), 2);
    commit(store, remove(1, 7)).await;
    // The id may be used again, and nothing of before is in it.
    staged(store, 7, 1, 1).await;
    commit(store, changeset(7, vec![Write::AttachDocument(document(7, 1, 1))])).await;
}

pub(super) async fn what_no_changeset_named_is_forgotten_oldest_first_up_to_the_limit(store: &dyn Store) {
    registered(store, [1]).await;
    for n in [3, 1, 2] {
        staged(store, n, 1, 2).await;
    }
    added(store, 4, 1, 2).await;
    let forget = |begun_by, limit| changeset(9, vec![Write::ForgetUploads { begun_by: at(begun_by), limit }]);
    commit(store, forget(0, 9)).await;
    assert_eq!(store.oldest_upload().await, Ok(Some(at(1))));
    commit(store, forget(9, 1)).await;
    assert_eq!(store.oldest_upload().await, Ok(Some(at(2))));
    commit(store, forget(2, 9)).await;
    assert_eq!(store.oldest_upload().await, Ok(Some(at(3))));
    refused(store, changeset(2, vec![Write::AttachDocument(document(2, 1, 2))]), None).await;
    commit(store, forget(9, 9)).await;
    assert_eq!(store.oldest_upload().await, Ok(None));
    assert_eq!(
        (documents(store, 1).await.len(), chunks(store, 4).await.len()),
        (1, 2),
        "what was named stays"
    );
    added(store, 2, 1, 1).await;
}

pub(super) async fn an_erasure_takes_files_along_also_those_on_their_way(store: &dyn Store) {
    registered(store, [1, 2]).await;
    added(store, 7, 1, 2).await;
    let stays = added(store, 8, 2, 2).await;
    staged(store, 9, 1, 2).await;
    staged(store, 5, 2, 1).await;
    commit(store, changeset(1, vec![Write::EraseCustomer(erasure(1))])).await;
    assert_eq!((documents(store, 1).await, chunks(store, 7).await), (vec![], vec![]));
    assert_eq!((documents(store, 2).await, chunks(store, 8).await.len()), (vec![stays], 2));
    assert_eq!(store.oldest_upload().await, Ok(Some(at(5))), "that of the other");
    assert_eq!(store.stage(upload(9, 1, 2, 1)).await, Err(CommitError::Conflict(Conflict::Revision)));
    // Nothing of before is in a file that takes one of the ids.
    for n in [7, 9] {
        added(store, n, 2, 1).await;
    }
}

pub(super) async fn a_changeset_that_fails_leaves_files_as_they_were(store: &dyn Store) {
    registered(store, [1]).await;
    let there = added(store, 7, 1, 2).await;
    staged(store, 8, 1, 1).await;
    let fails = Write::AttachDocument(document(9, 1, 1));
    let remove = Write::RemoveDocument { subject: subject(1), document: document_id(7) };
    let forget = Write::ForgetUploads { begun_by: at(100), limit: 9 };
    for write in [Write::AttachDocument(document(8, 1, 1)), remove, forget] {
        refused(store, changeset(3, vec![write, fails.clone()]), None).await;
        assert_eq!((documents(store, 1).await, chunks(store, 7).await.len()), (vec![there.clone()], 2));
        assert_eq!(store.oldest_upload().await, Ok(Some(at(8))));
    }
    assert_eq!(there.digest, sealed(7));
}
