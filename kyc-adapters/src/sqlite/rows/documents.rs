//! Columns of files.

use kyc_core::domain::document_file::DocumentFile;
use kyc_core::domain::ids::{DocumentId, SubjectId};
use kyc_core::ports::store::DocumentRow;

use super::super::fault::Fault;
use super::{Columns, FromColumns};

impl FromColumns for DocumentRow {
    fn take(columns: &mut Columns<'_>) -> Result<Self, Fault> {
        Ok(Self {
            subject: SubjectId::from_bytes(columns.array()?),
            file: DocumentFile {
                id: DocumentId::from_bytes(columns.array()?),
                side: columns.word()?,
                media_type: columns.word()?,
                size: columns.number()?,
                created_at: columns.read()?,
            },
            digest: columns.read()?,
        })
    }
}
