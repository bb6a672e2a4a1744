//! Searches bytes for values in all their encodings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::canaries::Canary;
use super::encodings;

/// A value that was found where it should not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    /// Which one.
    pub(super) canary: String,
    /// As what.
    pub(super) encoding: String,
}

/// What is searched for, by its first two bytes.
pub(super) struct Scanner {
    needles: Vec<Vec<(Vec<u8>, Finding)>>,
}

fn index(first: u8, second: u8) -> usize {
    usize::from(u16::from_be_bytes([first, second]))
}

impl Scanner {
    /// Searches for these.
    pub(super) fn of(canaries: &[Canary]) -> Self {
        Self::of_values(canaries.iter().map(|canary| (canary.name, canary.value)))
    }

    /// Searches for named values.
    pub(super) fn of_values<'v>(values: impl IntoIterator<Item = (&'v str, &'v str)>) -> Self {
        let mut known = BTreeMap::new();
        for (canary, value) in values {
            for (encoding, bytes) in encodings::all(value) {
                known.entry(bytes).or_insert(Finding { canary: canary.to_owned(), encoding });
            }
        }
        let mut needles = vec![Vec::new(); 1 << 16];
        for (bytes, finding) in known {
            needles[index(bytes[0], bytes[1])].push((bytes, finding));
        }
        Self { needles }
    }

    /// What stands in these bytes, each finding once.
    pub(super) fn scan(&self, bytes: &[u8]) -> Vec<Finding> {
        let mut found = BTreeSet::new();
        let Some((last, _)) = bytes.split_last() else { return Vec::new() };
        let mut second = bytes.iter().skip(1).chain([last]);
        for (at, first) in bytes.iter().enumerate() {
            for (needle, finding) in &self.needles[index(*first, *second.next().unwrap_or(last))] {
                if bytes[at..].starts_with(needle) {
                    found.insert(finding.clone());
                }
            }
        }
        found.into_iter().collect()
    }

    /// What stands in a file.
    pub(super) fn scan_file(&self, path: &Path) -> Vec<(PathBuf, Finding)> {
        let found = self.scan(&std::fs::read(path).unwrap());
        found.into_iter().map(|finding| (path.to_owned(), finding)).collect()
    }

    /// What stands in the files of a folder, of folders in it, and in their names.
    pub(super) fn scan_folder(&self, folder: &Path) -> Vec<(PathBuf, Finding)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let named = self.scan(entry.file_name().as_encoded_bytes());
            found.extend(named.into_iter().map(|finding| (path.clone(), finding)));
            let kind = entry.file_type().unwrap();
            found.extend(match (kind.is_dir(), kind.is_file()) {
                (true, _) => self.scan_folder(&path),
                (_, true) => self.scan_file(&path),
                // A socket holds nothing.
                _ => Vec::new(),
            });
        }
        found
    }
}

const VALUE: &str = "Zorvaline \"Ü\" Quenbyfeldt 1987-4455-66";

#[test]
fn each_encoding_is_found_at_the_start_in_the_middle_and_at_the_end_of_a_file() {
    let scanner =
        Scanner::of_values([("value", VALUE), ("number", "+44 7400 123456"), ("day", "1987-03-29")]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for value in [VALUE, "+44 7400 123456", "1987-03-29"] {
        for (encoding, bytes) in encodings::all(value) {
            for (before, after) in [("", ""), ("", "after"), ("before ", " after"), ("before", "")] {
                let planted = [before.as_bytes(), &bytes, after.as_bytes()].concat();
                std::fs::write(&path, planted).unwrap();
                assert_ne!(scanner.scan_folder(folder.path()), [], "{encoding} of {value}");
            }
        }
    }
}

#[test]
fn a_value_in_any_position_of_base64_is_found() {
    let scanner = Scanner::of_values([("value", VALUE)]);
    for before in ["", "1", "12", "123", "1234"] {
        let text = data_encoding::BASE64.encode(format!("{before}{VALUE}{before}").as_bytes());
        assert_ne!(scanner.scan(text.as_bytes()), [], "{text}");
    }
}

#[test]
fn a_value_in_a_file_name_or_a_folder_below_is_found() {
    let scanner = Scanner::of_values([("value", "Quenbyfeldt")]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/a"), "of quenbyfeldt").unwrap();
    assert_eq!(scanner.scan_folder(folder.path()).len(), 1);
    std::fs::write(folder.path().join("QUENBYFELDT.tmp"), "").unwrap();
    assert_eq!(scanner.scan_folder(folder.path()).len(), 2);
}

#[test]
fn what_is_only_alike_is_not_found() {
    let scanner = Scanner::of_values([("value", VALUE)]);
    for other in ["", "Z", "Zo", "Zorvalin", "Quenbyfeld", "1987-445", "19874455"] {
        assert_eq!(scanner.scan(other.as_bytes()), [], "{other}");
    }
}
