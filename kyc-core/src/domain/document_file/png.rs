//! PNG (W3C, third edition): decoded row by row, with every checksum compared.

use std::io::Cursor;

use png::{Decoder, Limits};

use super::check::{FileFault, bound};

/// What the decoder may allocate, in bytes: a row of each side, its window, and chunks of metadata.
const MEMORY: usize = 64 * 1024 * 1024;

/// Checks a PNG.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileFault> {
    let (width, height) = size(bytes).ok_or(FileFault::Damaged)?;
    bound(width, height)?;
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MEMORY });
    // Texts and profiles can unfold to any size, and show nothing.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.ignore_checksums(false);
    let mut reader = decoder.read_info().map_err(|_| FileFault::Damaged)?;
    if reader.info().animation_control().is_some() {
        return Err(FileFault::Animated);
    }
    while reader.next_interlaced_row().map_err(|_| FileFault::Damaged)?.is_some() {}
    reader.finish().map_err(|_| FileFault::Damaged)
}

/// Width and height, which stand in the first chunk (section 11.2.1).
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let (sizes, _) = bytes.get(16..24)?.as_chunks::<4>();
    let [width, height] = sizes else { return None };
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}
