//! JPEG (ITU-T T.81): a walk over the markers, and then the decoder.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::check::{FileFault, MAX_SIDE, bound};

// Markers, by the second byte (table B.1).
const TEM: u8 = 0x01;
const SOF0: u8 = 0xc0;
const SOF1: u8 = 0xc1;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const JPG: u8 = 0xc8;
const DAC: u8 = 0xcc;
const RST0: u8 = 0xd0;
const RST7: u8 = 0xd7;
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// Checks a JPEG.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileFault> {
    let (width, height) = walk(bytes)?;
    bound(u32::from(width), u32::from(height))?;
    decode(bytes).ok_or(FileFault::Damaged)
}

/// The size of the picture, where the markers lead from the first to the last. What stands behind the last one is
/// the camera's own, such as a short film, and is not looked at.
fn walk(bytes: &[u8]) -> Result<(u16, u16), FileFault> {
    let mut rest = bytes.get(2..).ok_or(FileFault::Damaged)?;
    let mut size = None;
    loop {
        let (marker, behind) = marker(rest).ok_or(FileFault::Damaged)?;
        rest = match marker {
            EOI => return size.ok_or(FileFault::Damaged),
            TEM | RST0..=RST7 => behind,
            0 | SOI => return Err(FileFault::Damaged),
            _ => {
                let (segment, behind) = segment(behind).ok_or(FileFault::Damaged)?;
                match marker {
                    SOF0 | SOF1 | SOF2 if size.is_some() => return Err(FileFault::Damaged),
                    SOF0 | SOF1 | SOF2 => {
                        let found = frame_size(segment).ok_or(FileFault::Damaged)?;
                        // Before all that follows is walked over.
                        bound(u32::from(found.0), u32::from(found.1))?;
                        size = Some(found);
                        behind
                    }
                    DHT | JPG | DAC => behind,
                    // Lossless, hierarchical and arithmetic forms, which no browser shows.
                    SOF0..=0xcf => return Err(FileFault::Unsupported),
                    SOS => scan_end(behind).ok_or(FileFault::Damaged)?,
                    _ => behind,
                }
            }
        };
    }
}

/// The marker at the beginning, behind any fill bytes, and what follows it.
fn marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    if *first != 0xff {
        return None;
    }
    loop {
        let (next, behind) = rest.split_first()?;
        if *next != 0xff {
            return Some((*next, behind));
        }
        rest = behind;
    }
}

/// What a segment holds behind its length, and what follows it.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}

/// Width and height of a frame's header (section B.2.2).
fn frame_size(segment: &[u8]) -> Option<(u16, u16)> {
    let [_, high, low, wide, narrow, ..] = segment else { return None };
    Some((u16::from_be_bytes([*wide, *narrow]), u16::from_be_bytes([*high, *low])))
}

/// What follows the coded data of a scan: in it a byte of ones is always followed by a zero or is part of a restart.
fn scan_end(bytes: &[u8]) -> Option<&[u8]> {
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | RST0..=RST7 | 0xff);
    let end = bytes.windows(2).position(ends)?;
    bytes.get(end..)
}

/// Decodes the whole picture to grey, which takes the least memory, or where that can't be made to colours.
fn decode(bytes: &[u8]) -> Option<()> {
    let side = usize::try_from(MAX_SIDE).ok()?;
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut headers = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    headers.decode_headers().ok()?;
    let is_grey_inside = matches!(headers.input_colorspace()?, ColorSpace::Luma | ColorSpace::YCbCr);
    let to = if is_grey_inside { ColorSpace::Luma } else { ColorSpace::RGB };
    let options = options.jpeg_set_out_colorspace(to);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().ok().map(drop)
}
