//! Whether a file is one that a person can look at: told by its bytes, bounded by its header, and decoded once.

use sha2::{Digest, Sha256};

use super::{FileDigest, MediaType, jpeg, pdf, png, webp};
use crate::Secret;
use crate::domain::fault::Invalid;

/// The largest file, in bytes: 10 MiB, which the HTTP contract promises. Pictures of a telephone have 2 to 8.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The longest side of a picture, in pixels: above that of any telephone's camera in its usual mode.
pub const MAX_SIDE: u32 = 12_000;
/// The most pixels of a picture. It bounds what decoding takes: at most 7 bytes a pixel, for a lossless WebP and a
/// progressive JPEG without subsampling, and so 280 MB; of a PNG there are never more than some rows.
pub const MAX_PIXELS: u64 = 40_000_000;

/// Why a file is not taken. None holds anything of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It has more than [`MAX_BYTES`].
    #[error("the file is larger than 10 MiB")]
    TooLarge,
    /// Its bytes are those of no kind that is taken, or of a rare form of one.
    #[error("the file is none of JPEG, PNG, WebP and PDF")]
    Unsupported,
    /// It moves: only a single picture can be looked at as a document is.
    #[error("the picture is animated")]
    Animated,
    /// Its header names more pixels than [`MAX_SIDE`] or [`MAX_PIXELS`] allow.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// It was cut off, or is not what its first bytes say.
    #[error("the file is damaged")]
    Damaged,
}

impl FileFault {
    /// The fault with its stable code, for an input that is refused.
    #[must_use]
    pub const fn invalid(self) -> Invalid {
        match self {
            Self::Empty => Invalid::new("file.empty", "a file with content is expected"),
            Self::TooLarge => Invalid::new("file.too_large", "a file of at most 10 MiB is expected"),
            Self::Unsupported => Invalid::new(
                "file.unsupported",
                "a JPEG, PNG, WebP or PDF file is expected; its name does not matter",
            ),
            Self::Animated => Invalid::new("file.animated", "a picture that does not move is expected"),
            Self::TooManyPixels => Invalid::new(
                "file.dimensions",
                "a picture of at most 12000 pixels a side and 40 million in all is expected",
            ),
            Self::Damaged => Invalid::new(
                "file.damaged",
                "a whole file is expected: this one was cut off, or is not what its first bytes say",
            ),
        }
    }
}

/// A file that was checked: its kind is known, and whoever opens it will see something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    bytes: Secret<Vec<u8>>,
    media_type: MediaType,
    digest: FileDigest,
}

impl CheckedFile {
    /// Checks a file. A picture is decoded to its end, which may take a second of a processor's time and
    /// [`MAX_PIXELS`] of memory: a service does it aside, and few at a time.
    ///
    /// JPEG and WebP have no checksum, so that a changed byte may be another picture and no fault; what is found is
    /// what no decoder could show. In a lossy WebP nearly every sequence of bits stands for some picture.
    ///
    /// # Errors
    /// [`FileFault`] for the first thing that is wrong.
    pub fn check(bytes: Secret<Vec<u8>>) -> Result<Self, FileFault> {
        let media_type = media_type(bytes.expose())?;
        match media_type {
            MediaType::Jpeg => jpeg::check(bytes.expose()),
            MediaType::Png => png::check(bytes.expose()),
            MediaType::Webp => webp::check(bytes.expose()),
            MediaType::Pdf => pdf::check(bytes.expose()),
        }?;
        let digest = FileDigest::from_bytes(Sha256::digest(bytes.expose()).into());
        Ok(Self { bytes, media_type, digest })
    }

    /// The file.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// What kind of file it is.
    #[must_use]
    pub const fn media_type(&self) -> MediaType {
        self.media_type
    }

    /// Its SHA-256.
    #[must_use]
    pub const fn digest(&self) -> &FileDigest {
        &self.digest
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.expose().len() as u64
    }
}

/// The kind of a file by its first bytes, whatever follows: of a file that is two kinds at once this is what a
/// viewer that goes by the media type shows.
fn media_type(bytes: &[u8]) -> Result<MediaType, FileFault> {
    if bytes.is_empty() {
        return Err(FileFault::Empty);
    }
    if bytes.len() > MAX_BYTES {
        return Err(FileFault::TooLarge);
    }
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    [
        (bytes.starts_with(&[0xff, 0xd8, 0xff]), MediaType::Jpeg),
        (bytes.starts_with(b"\x89PNG\r\n\x1a\n"), MediaType::Png),
        (is_webp, MediaType::Webp),
        (bytes.starts_with(b"%PDF-"), MediaType::Pdf),
    ]
    .into_iter()
    .find_map(|(is_it, kind)| is_it.then_some(kind))
    .ok_or(FileFault::Unsupported)
}

/// Whether a picture may have so many pixels, asked before any of them is decoded.
pub(super) fn bound(width: u32, height: u32) -> Result<(), FileFault> {
    if width == 0 || height == 0 {
        Err(FileFault::Damaged)
    } else if width.max(height) > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        Err(FileFault::TooManyPixels)
    } else {
        Ok(())
    }
}
