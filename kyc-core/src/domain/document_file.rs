//! A file that shows a document or the person: a picture or a PDF, as the customer sent it.

use jiff::Timestamp;

use super::ids::DocumentId;
use super::words::words;

words! {
    /// What a file shows.
    pub enum Side, "document side" {
        /// The front of the identity document, or its page with the picture.
        Front = "front",
        /// The back of the identity document.
        Back = "back",
        /// The person's face.
        Selfie = "selfie",
        /// A letter or bill that shows the address.
        ProofOfAddress = "proof_of_address",
    }
}

words! {
    /// What kind of file it is, by its bytes; the words are media types (RFC 6838).
    pub enum MediaType, "media type" {
        /// JPEG (ITU-T T.81).
        Jpeg = "image/jpeg",
        /// PNG (W3C, third edition).
        Png = "image/png",
        /// WebP (RFC 9649).
        Webp = "image/webp",
        /// PDF (ISO 32000).
        Pdf = "application/pdf",
    }
}

/// A file of a customer, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFile {
    /// Its id.
    pub id: DocumentId,
    /// What it shows.
    pub side: Side,
    /// What kind of file it is.
    pub media_type: MediaType,
    /// How long it is, in bytes.
    pub size: u64,
    /// When it was sent.
    pub created_at: Timestamp,
}
