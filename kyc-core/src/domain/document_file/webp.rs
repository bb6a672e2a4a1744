//! WebP (RFC 9649): a walk over the chunks, and then the decoder.

use std::cell::Cell;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use image_webp::WebPDecoder;

use super::check::{FileFault, MAX_PIXELS, bound};

/// The lossless decoder reads eight bytes ahead, and a chunk may be padded by one.
const AHEAD: usize = 9;

/// Checks a WebP.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileFault> {
    let picture = walk(bytes)?;
    let furthest = Rc::new(Cell::new(0));
    let reader = Watched { inner: Cursor::new(bytes), furthest: Rc::clone(&furthest) };
    let mut decoder = WebPDecoder::new(reader).map_err(|_| FileFault::Damaged)?;
    let (width, height) = decoder.dimensions();
    bound(width, height)?;
    if decoder.is_animated() {
        return Err(FileFault::Animated);
    }
    if picture.size != (width, height) {
        return Err(FileFault::Damaged);
    }
    let size = decoder.output_buffer_size().filter(|size| *size as u64 <= 4 * MAX_PIXELS);
    let mut pixels = vec![0; size.ok_or(FileFault::TooManyPixels)?];
    furthest.set(0);
    decoder.read_image(&mut pixels).map_err(|_| FileFault::Damaged)?;
    // Lossless data has a meaning whatever it is; but only what an encoder wrote ends where its chunk does.
    if picture.is_lossless && furthest.get() + AHEAD < picture.end {
        return Err(FileFault::Damaged);
    }
    Ok(())
}

/// The chunk that holds the picture.
struct Picture {
    size: (u32, u32),
    is_lossless: bool,
    /// Where the chunk ends in the file.
    end: usize,
}

/// Finds the picture, where every chunk lies within the file. The sizes in it are looked at before the decoder, which
/// compares them with those of the file's header only after it has taken memory for them.
fn walk(bytes: &[u8]) -> Result<Picture, FileFault> {
    let length = bytes.get(4..8).and_then(number).ok_or(FileFault::Damaged)?;
    let end = length.checked_add(8).filter(|end| *end <= bytes.len()).ok_or(FileFault::Damaged)?;
    let (mut at, mut picture) = (12, None);
    while at + 8 <= end {
        let kind = bytes.get(at..at + 4).ok_or(FileFault::Damaged)?;
        let length = bytes.get(at + 4..at + 8).and_then(number).ok_or(FileFault::Damaged)?;
        let begin = at + 8;
        let stop = begin.checked_add(length).filter(|stop| *stop <= end).ok_or(FileFault::Damaged)?;
        let data = bytes.get(begin..stop).ok_or(FileFault::Damaged)?;
        let size = match kind {
            b"VP8 " => Some(lossy_size(data).ok_or(FileFault::Damaged)?),
            b"VP8L" => Some(lossless_size(data).ok_or(FileFault::Damaged)?),
            b"ANIM" | b"ANMF" => return Err(FileFault::Animated),
            _ => None,
        };
        if let Some(size) = size {
            if picture.is_some() {
                return Err(FileFault::Damaged);
            }
            bound(size.0, size.1)?;
            picture = Some(Picture { size, is_lossless: kind == b"VP8L", end: stop });
        }
        at = stop + length % 2;
    }
    picture.ok_or(FileFault::Damaged)
}

fn number(bytes: &[u8]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

/// The size in the header of a lossy key frame (RFC 6386, section 9.1).
fn lossy_size(data: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..] = data else { return None };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(*w0, *w1), side(*h0, *h1)))
}

/// The size in the header of lossless data (RFC 9649, section 3.4).
fn lossless_size(data: &[u8]) -> Option<(u32, u32)> {
    let (&[0x2f, b0, b1, b2, b3], _) = data.split_first_chunk::<5>()? else { return None };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

/// A file in memory that remembers how far it was read.
struct Watched<'a> {
    inner: Cursor<&'a [u8]>,
    furthest: Rc<Cell<usize>>,
}

impl Watched<'_> {
    fn note(&self) {
        let position = usize::try_from(self.inner.position()).unwrap_or(usize::MAX);
        self.furthest.set(self.furthest.get().max(position));
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.note();
        Ok(read)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.note();
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
