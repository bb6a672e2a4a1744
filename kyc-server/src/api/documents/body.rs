//! A file in JSON, without its content.

use kyc_core::domain::document_file::{MediaType, Side};
use kyc_core::usecase::DocumentView;
use poem_openapi::Object;

use crate::api::values::{Time, Word};

/// A file that shows a document or the person.
#[derive(Debug, Object)]
#[oai(rename = "Document")]
pub(in crate::api) struct FileBody {
    /// Its id.
    document_id: String,
    /// What it shows.
    side: Word<Side>,
    /// What kind of file it is, by its bytes.
    media_type: Word<MediaType>,
    /// How long it is, in bytes.
    size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    sha256: String,
    /// When it was sent.
    created_at: Time,
}

/// The files of a customer.
#[derive(Debug, Object)]
#[oai(rename = "DocumentList")]
pub(super) struct FileListBody {
    /// All of them, oldest first.
    pub(super) items: Vec<FileBody>,
}

impl From<&DocumentView> for FileBody {
    fn from(view: &DocumentView) -> Self {
        let DocumentView { file, digest, .. } = view;
        Self {
            document_id: file.id.to_string(),
            side: Word(file.side),
            media_type: Word(file.media_type),
            size: file.size,
            sha256: digest.to_hex().expose().clone(),
            created_at: Time(file.created_at),
        }
    }
}

/// Where the content of a file is.
pub(in crate::api) fn content_path(view: &DocumentView) -> String {
    format!("/customers/{}/documents/{}/content", view.customer_id, view.file.id)
}
