//! Clears what is left of deleted rows within pages.
//!
//! `secure_delete` overwrites a cell that is deleted, and a page that is freed. But when `SQLite` distributes the
//! cells of a full or an empty page over its neighbours it may build a page anew from the end, and what stood
//! lower on it stays in the gap between the list of cells and the first of them: a copy of a row that lives on
//! elsewhere, which no later delete reaches. So after an erasure every page of a B-tree is looked at, and where
//! the gap or a free block holds anything it is overwritten with zeros, in a transaction like any other.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::fault::Fault;
use super::super::open::PAGE_SIZE;

/// How many pages are looked at in one go: some milliseconds.
const SLICE: i64 = 1024;

/// Up to so many pages the first byte of a page tells what it is: a page of no B-tree begins with the number of
/// another page, which is smaller than this, and so with 0 or 1.
const MOST_PAGES: i64 = 0x0200_0000;

/// The same as a length.
const PAGE: usize = 4096;
const _: () = assert!(PAGE_SIZE == 4096, "a page has one size");

/// A walk over the pages of the database that goes round and round.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    next: i64,
    left: i64,
}

impl Scrub {
    /// Every page has to be looked at from now on.
    pub(super) fn begin(&mut self, connection: &Connection) -> Result<(), Fault> {
        self.left = page_count(connection)?;
        Ok(())
    }

    /// Whether every page was looked at since the last beginning.
    pub(super) const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Every page was cleared in another way.
    pub(super) const fn skip(&mut self) {
        self.left = 0;
    }

    /// Whether pages can be reached one by one: where `SQLite` was built with its table of pages, and a page's
    /// first byte tells its kind.
    pub(super) fn is_possible(connection: &Connection) -> Result<bool, Fault> {
        let has_pages = connection.prepare("SELECT data FROM sqlite_dbpage WHERE pgno = 1").is_ok();
        Ok(has_pages && page_count(connection)? < MOST_PAGES)
    }

    /// Looks at some more pages, within a transaction. Whether anything was written.
    pub(super) fn go_on(&mut self, connection: &Connection) -> Result<bool, Fault> {
        let pages = page_count(connection)?;
        let mut read = connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        let mut put = connection.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
        let (mut next, mut left, mut wrote) = (self.next, self.left, false);
        for _ in 0..SLICE.min(left) {
            // The database may have become smaller since.
            next = if next >= pages { 1 } else { next + 1 };
            left -= 1;
            let page: Option<Vec<u8>> = read.query_row([next], |row| row.get(0)).optional()?;
            let Some(mut page) = page else { continue };
            if clear(&mut page, next == 1) {
                put.execute(params![next, page])?;
                wrote = true;
            }
        }
        (self.next, self.left) = (next, left);
        Ok(wrote)
    }
}

fn page_count(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.prepare_cached("PRAGMA page_count")?.query_row([], |row| row.get(0))?)
}

/// Clears what a page of a B-tree does not use (the file format of `SQLite`, section 1.6). Whether there was
/// anything. A page that is not formed as one should be is left alone.
fn clear(page: &mut [u8], is_first: bool) -> bool {
    let header = if is_first { 100 } else { 0 };
    let Some(unused) = unused(page, header) else { return false };
    let mut found = false;
    for (start, end) in unused {
        let Some(bytes) = page.get_mut(start..end) else { continue };
        if bytes.iter().any(|byte| *byte != 0) {
            bytes.fill(0);
            found = true;
        }
    }
    found
}

/// The gap, and what lies in the free blocks behind the four bytes that chain them.
fn unused(page: &[u8], header: usize) -> Option<Vec<(usize, usize)>> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?])));
    let pointers = match page.get(header)? {
        0x02 | 0x05 => header + 12,
        0x0a | 0x0d => header + 8,
        _ => return None,
    };
    let (cells, content) = (number(header + 3)?, number(header + 5)?);
    let gap = (pointers + 2 * cells, content);
    if page.len() != PAGE || gap.0 > gap.1 || gap.1 > PAGE {
        return None;
    }
    let mut all = vec![gap];
    let mut block = number(header + 1)?;
    let mut last = content;
    while block != 0 {
        let (next, size) = (number(block)?, number(block + 2)?);
        if block < last || size < 4 || block + size > PAGE {
            return None;
        }
        all.push((block + 4, block + size));
        last = block + size;
        block = next;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf of two cells and one free block, with something in every unused byte.
    fn leaf(header: usize) -> Vec<u8> {
        let mut page = vec![7; PAGE];
        let numbers = [(1, 4000), (3, 2), (5, 3900), (8, 3900), (10, 4050)];
        page[header] = 0x0d;
        for (at, number) in numbers {
            page[header + at..header + at + 2].copy_from_slice(&u16::to_be_bytes(number));
        }
        page[4000..4004].copy_from_slice(&[0, 0, 0, 50]);
        page
    }

    #[test]
    fn the_gap_and_free_blocks_are_cleared_and_nothing_else() {
        for header in [0, 100] {
            let before = leaf(header);
            let mut page = before.clone();
            assert!(clear(&mut page, header == 100));
            let unused = |at: usize| (header + 12..3900).contains(&at) || (4004..4050).contains(&at);
            for (at, byte) in page.iter().enumerate() {
                assert_eq!(*byte, if unused(at) { 0 } else { before[at] }, "{at}");
            }
            assert!(!clear(&mut page, header == 100), "a second time there is nothing");
        }
    }

    #[test]
    fn what_is_no_page_of_a_tree_or_not_well_formed_is_left_alone() {
        let damage: [fn(&mut Vec<u8>); 7] = [
            |page| page[0] = 0,
            |page| page[0] = 1,
            |page| page[5..7].copy_from_slice(&[0xff, 0xff]),
            |page| page[3..5].copy_from_slice(&[0x7f, 0xff]),
            |page| page[1..3].copy_from_slice(&[0x0f, 0xff]),
            |page| page[4000..4002].copy_from_slice(&[0x0f, 0xa0]),
            |page| page.truncate(512),
        ];
        for (n, damage) in damage.iter().enumerate() {
            let mut page = leaf(0);
            damage(&mut page);
            let before = page.clone();
            assert!(!clear(&mut page, false) && page == before, "{n}");
        }
    }
}
