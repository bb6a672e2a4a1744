//! Files in a memory store.

use jiff::Timestamp;

use super::transaction::Transaction;
use crate::domain::ids::{DocumentId, SubjectId};
use crate::ports::store::{CommitError, DocumentRow, StoreError};

/// Makes a file of the chunks that were staged.
pub(super) fn attach(transaction: &mut Transaction<'_>, row: DocumentRow) -> Result<(), CommitError> {
    transaction.known(row.subject)?;
    let id = row.file.id;
    let begun = transaction.state.uploads.get(&id).is_some_and(|begun| begun.subject == row.subject);
    let is_whole = transaction.state.chunks_of(id) == (0..row.file.chunks()).collect::<Vec<_>>();
    if !begun || !is_whole {
        return Err(StoreError::Corrupt.into());
    }
    transaction.remove(|state| &mut state.uploads, &id);
    transaction.put(|state| &mut state.documents, id, row);
    Ok(())
}

/// Takes away a file of a customer.
pub(super) fn remove(transaction: &mut Transaction<'_>, subject: SubjectId, document: DocumentId) {
    if transaction.state.documents.get(&document).is_some_and(|row| row.subject == subject) {
        transaction.remove(|state| &mut state.documents, &document);
        remove_chunks(transaction, document);
    }
}

/// Takes away what no changeset has named, oldest first.
pub(super) fn forget(transaction: &mut Transaction<'_>, begun_by: Timestamp, limit: usize) {
    let uploads = transaction.state.uploads.iter().filter(|(_, begun)| begun.at <= begun_by);
    let mut old: Vec<_> = uploads.map(|(id, begun)| (begun.at, *id)).collect();
    old.sort_unstable();
    for (_, id) in old.into_iter().take(limit) {
        transaction.remove(|state| &mut state.uploads, &id);
        remove_chunks(transaction, id);
    }
}

/// Takes away all files of a customer, also those that are on their way.
pub(super) fn erase(transaction: &mut Transaction<'_>, subject: SubjectId) {
    let state = &transaction.state;
    let whole = state.documents.values().filter(|row| row.subject == subject).map(|row| row.file.id);
    let begun = state.uploads.iter().filter(|(_, begun)| begun.subject == subject).map(|(id, _)| *id);
    for id in whole.chain(begun).collect::<Vec<_>>() {
        transaction.remove(|state| &mut state.documents, &id);
        transaction.remove(|state| &mut state.uploads, &id);
        remove_chunks(transaction, id);
    }
}

fn remove_chunks(transaction: &mut Transaction<'_>, document: DocumentId) {
    for index in transaction.state.chunks_of(document) {
        transaction.remove(|state| &mut state.chunks, &(document, index));
    }
}
