//! SECURITY.md: each row of its tables names tests that exist, and no check that is due by now is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The checks of OWASP ASVS 5.0.0 that concern a service like this one.
const CHECKS: &str = "4.1.1 4.1.3 4.1.4 4.2.1 15.3.7 2.2.3 2.3.1 2.3.3 2.3.4 2.3.5 2.4.1 5.2.1 5.2.2 5.2.6 5.3.2 \
    6.3.1 6.3.2 11.5.1 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 3.3.1 3.3.4 3.4.1 3.4.6 3.5.1 8.2.1 8.2.2 8.2.3 15.3.3 8.3.2 \
    11.3.3 11.2.2 16.5.3 12.1.1 13.2.4 14.2.1 14.3.2 16.2.5 16.3.1 16.4.1 16.4.2 16.5.1 16.5.2";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of all tests of the workspace: what stands in a function's head below an attribute of a test, and
/// the cases of the contract that every store has to keep.
fn tests(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            tests(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            if path.ends_with("contract/store.rs") {
                let cases = text.lines().filter_map(|line| line.trim().strip_suffix(" ="));
                into.extend(cases.filter_map(|case| Some(case.split_once("::")?.1.to_owned())));
            }
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                let head = line.trim_start_matches("async ").strip_prefix("fn ");
                match head {
                    Some(head) if is_test => {
                        into.extend(head.split(['(', '<']).next().map(str::to_owned));
                        is_test = false;
                    }
                    Some(_) => is_test = false,
                    None => is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test"),
                }
            }
        }
    }
}

/// The rows of the tables that name tests, as their cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut names_tests = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            names_tests = false;
            continue;
        };
        let cells: Vec<&str> = cells.split(" | ").collect();
        if cells.last() == Some(&"test") {
            names_tests = true;
        } else if names_tests && !cells.iter().all(|cell| cell.starts_with("---")) {
            rows.push(cells);
        }
    }
    rows
}

#[test]
fn every_row_names_a_test_that_exists_or_says_with_what_it_is_due() {
    let mut all = BTreeSet::new();
    for package in ["kyc-core", "kyc-adapters", "kyc-server", "tests"] {
        tests(&root().join(package), &mut all);
    }
    assert!(all.len() > 400, "{} tests are not all", all.len());
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() > 50, "{} rows are not all", rows.len());
    for row in rows {
        let named = row[row.len() - 1];
        if named.starts_with("due with ") {
            continue;
        }
        let tests: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {row:?}");
        for name in tests {
            assert!(all.contains(name), "there is no test {name}: {row:?}");
        }
    }
}

#[test]
fn every_check_has_its_row() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = rows(&text);
    for check in CHECKS.split_whitespace() {
        assert!(rows.iter().any(|row| row[0].split(", ").any(|id| id == check)), "{check}");
    }
}

#[test]
fn a_row_without_a_test_would_be_found() {
    let text = "| threat | defence | test |\n| --- | --- | --- |\n| a | b | c |\n\n| x | y |\n| 1 | 2 |\n";
    assert_eq!(rows(text), [["a", "b", "c"]]);
}
