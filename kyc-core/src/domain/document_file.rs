//! A file that shows a document or the person: a picture or a PDF, as the customer sent it.
//!
//! What a file is told by its bytes alone; neither its name nor what the sender says of it is looked at.

mod check;
mod jpeg;
mod pdf;
mod png;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod webp;

use std::fmt;

use data_encoding::HEXLOWER;
use jiff::Timestamp;

pub use self::check::{CheckedFile, FileFault, MAX_BYTES, MAX_PIXELS, MAX_SIDE};
use super::fault::Invalid;
use super::field::Field;
use super::ids::DocumentId;
use super::words::words;
use crate::Secret;

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

impl Side {
    /// Reads the word.
    ///
    /// # Errors
    /// `side.unknown`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        text.parse()
            .map_err(|_| Invalid::new("side.unknown", "front, back, selfie or proof_of_address is expected"))
    }

    /// What audit events say was disclosed where a file of this side went to a provider.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Front => Field::FileFront,
            Self::Back => Field::FileBack,
            Self::Selfie => Field::FileSelfie,
            Self::ProofOfAddress => Field::FileProofOfAddress,
        }
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

impl MediaType {
    /// The usual ending of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Pdf => "pdf",
        }
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

impl DocumentFile {
    /// How many bytes of a file are sealed as one: AES-GCM does not stream, so a chunk is what has to be in memory
    /// before a byte of it may be believed.
    pub const CHUNK_BYTES: usize = 64 * 1024;

    /// How many chunks the file has; the last one may be shorter than [`DocumentFile::CHUNK_BYTES`].
    #[must_use]
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.size.div_ceil(Self::CHUNK_BYTES as u64)).unwrap_or(u32::MAX)
    }
}

/// The SHA-256 of a file's bytes (FIPS 180-4). Who has a file can tell by it that a customer sent the same one, so
/// it is kept sealed and is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct FileDigest(Secret<[u8; 32]>);

impl FileDigest {
    /// Wraps the bytes of a digest.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// The digest in hexadecimal, as tools such as `sha256sum` print it.
    #[must_use]
    pub fn to_hex(&self) -> Secret<String> {
        Secret::new(HEXLOWER.encode(self.expose()))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileDigest(redacted)")
    }
}
