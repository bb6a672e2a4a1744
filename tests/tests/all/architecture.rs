//! The shape of the code, as a test: what may depend on what, who alone may do what, and how files look.
//!
//! A rule is a function from the text of a file to its violations, so that each is shown to fail on a planted one.

mod manifests;
mod migrations;
mod planted;
mod rules;

use std::path::{Path, PathBuf};

use self::rules::{RULES, Source};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace.
fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    for package in manifests::PACKAGES {
        collect(&root().join(package), &mut all);
    }
    assert!(all.len() > 150, "{} files are not all", all.len());
    all
}

fn collect(folder: &Path, all: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            collect(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            all.push(Source { path: name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

#[test]
fn every_file_keeps_every_rule() {
    let sources = sources();
    for rule in RULES {
        let violations: Vec<_> = sources.iter().flat_map(|source| rule.violations(source)).collect();
        assert!(violations.is_empty(), "{}:\n{}", rule.says, violations.join("\n"));
    }
}

#[test]
fn every_place_that_a_rule_exempts_is_there() {
    let sources = sources();
    for rule in RULES {
        for place in rule.exempt {
            assert!(sources.iter().any(|source| source.path.starts_with(place)), "{}: {place}", rule.says);
        }
    }
}
