//! The files of a submission: read where an adapter asks, and remembered for the audit event.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::super::Kyc;
use super::add::BIOMETRIC;
use super::reader::DocumentReader;
use crate::Secret;
use crate::domain::actor::Actor;
use crate::domain::customer::Customer;
use crate::domain::document_file::{DocumentFile, Side};
use crate::domain::field::Field;
use crate::domain::ids::DocumentId;
use crate::ports::provider::{ContentUnavailable, DocumentContent};
use crate::ports::store::{CustomerRow, DocumentRow};

/// The files that a provider may be given.
pub(in super::super) struct Submitted {
    kyc: Kyc,
    row: CustomerRow,
    files: Vec<DocumentFile>,
    read: Mutex<Vec<Field>>,
}

impl Submitted {
    /// Those of a customer. A picture of the face is not among them where the consent is no longer there.
    pub(in super::super) fn new(
        kyc: &Kyc,
        row: &CustomerRow,
        customer: &Customer,
        rows: Vec<DocumentRow>,
    ) -> Self {
        let may = |file: &DocumentFile| file.side != Side::Selfie || customer.has_consented(BIOMETRIC);
        let files = rows.into_iter().map(|row| row.file).filter(may).collect();
        Self { kyc: kyc.clone(), row: row.clone(), files, read: Mutex::default() }
    }

    /// The files, oldest first.
    pub(in super::super) fn files(&self) -> Vec<DocumentFile> {
        self.files.clone()
    }

    /// What was read, and so has gone to the provider or may have: each side once.
    pub(in super::super) fn disclosed(&self) -> Vec<Field> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl DocumentContent for Submitted {
    async fn read(&self, document: DocumentId) -> Result<Secret<Vec<u8>>, ContentUnavailable> {
        let file = self.files.iter().find(|file| file.id == document).ok_or(ContentUnavailable)?;
        let size = usize::try_from(file.size).map_err(|_| ContentUnavailable)?;
        let actor = Actor::system("worker");
        let mut reader = DocumentReader::new(self.kyc.clone(), actor, self.row.clone(), file.clone());
        // As large as it will be: a vector that grows leaves a copy of its bytes behind.
        let mut content = zeroize::Zeroizing::new(Vec::with_capacity(size));
        reader.append_to(&mut content).await.map_err(|_| ContentUnavailable)?;
        let field = file.side.field();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.contains(&field) {
            read.push(field);
        }
        Ok(Secret::new(std::mem::take(&mut *content)))
    }
}
