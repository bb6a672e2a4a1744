//! PDF (ISO 32000-1): not read, but whether its beginning and its end are those of a whole one.

use super::check::FileFault;

/// How near the end the last line has to stand, in bytes (annex H.3, note 18, of what viewers accept).
const TAIL: usize = 1024;

/// Checks the header (section 7.5.2), and that the end (section 7.5.5) leads to a cross-reference.
pub(super) fn check(bytes: &[u8]) -> Result<(), FileFault> {
    let has_version = matches!(bytes, [_, _, _, _, _, b'1' | b'2', b'.', b'0'..=b'9', ..]);
    if has_version && leads_back(bytes).is_some() { Ok(()) } else { Err(FileFault::Damaged) }
}

fn leads_back(bytes: &[u8]) -> Option<()> {
    let tail = bytes.get(bytes.len().saturating_sub(TAIL)..)?;
    let last_line = find_last(tail, b"%%EOF")?;
    let before = &tail[..last_line];
    let place = before.get(find_last(before, b"startxref")? + b"startxref".len()..)?;
    let offset: usize = std::str::from_utf8(place).ok()?.trim_ascii().parse().ok()?;
    let target = bytes.get(offset..)?.trim_ascii_start();
    (target.starts_with(b"xref") || is_object(target)).then_some(())
}

/// Whether `12 0 obj` stands here: a cross-reference stream (section 7.5.8).
fn is_object(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(32)];
    let mut words = head.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut number = || words.next().is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    number() && number() && words.next().is_some_and(|word| word.starts_with(b"obj"))
}

fn find_last(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).rposition(|window| window == word)
}
