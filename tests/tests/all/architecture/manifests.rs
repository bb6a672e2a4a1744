//! What the packages may depend on: core, adapters, service, and nothing points back.

use std::collections::BTreeSet;

use super::root;

/// The packages, from the inside out.
pub(super) const PACKAGES: [&str; 4] = ["kyc-core", "kyc-adapters", "kyc-server", "tests"];

/// What does I/O, runs tasks, or speaks a protocol.
const MACHINERY: [&str; 14] = [
    "axum",
    "clap",
    "hyper",
    "hyper-util",
    "poem",
    "poem-openapi",
    "r2d2",
    "r2d2_sqlite",
    "refinery",
    "reqwest",
    "ring",
    "rusqlite",
    "tokio",
    "ureq",
];

/// A section of a manifest: its name, and its entries as name and the rest of the line.
type Section<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// The sections of a manifest. Lines that go on are no entries of ours: none of our manifests has any.
fn sections(manifest: &str) -> Vec<Section<'_>> {
    let mut all: Vec<Section<'_>> = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            all.push((name.trim_matches('['), Vec::new()));
        } else if let (Some((_, entries)), Some((name, rest))) = (all.last_mut(), line.split_once('=')) {
            entries.push((name.trim(), rest.trim()));
        }
    }
    all
}

/// The names of the dependencies, those of tests left out or alone.
fn dependencies(manifest: &str, of_tests: bool) -> BTreeSet<&str> {
    let wanted = |section: &str| section.ends_with("dependencies") && section.contains("dev-") == of_tests;
    let entries =
        sections(manifest).into_iter().filter(|(name, _)| wanted(name)).flat_map(|(_, entries)| entries);
    entries.map(|(name, _)| name.split('.').next().unwrap_or(name)).collect()
}

/// What of a package's manifest breaks the rules.
fn violations(package: &str, manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let inside: &[&str] = match package {
        "kyc-core" => &[],
        "kyc-adapters" => &["kyc-core"],
        "kyc-server" => &["kyc-core", "kyc-adapters"],
        _ => &["kyc-core", "kyc-adapters", "kyc-server"],
    };
    for of_tests in [false, true] {
        for name in dependencies(manifest, of_tests) {
            let ours = name.starts_with("kyc-") && !(of_tests && name == package);
            if ours && !inside.contains(&name) {
                found.push(format!("{package} points back at {name}"));
            }
            let machinery = match package {
                "kyc-core" => MACHINERY.contains(&name) && !of_tests,
                "kyc-adapters" => ["poem", "poem-openapi", "clap", "axum"].contains(&name),
                _ => false,
            };
            if machinery {
                found.push(format!("{package} depends on {name}"));
            }
        }
    }
    for (section, entries) in sections(manifest) {
        for (name, rest) in entries.iter().filter(|_| section.ends_with("dependencies")) {
            if !name.ends_with(".workspace") && !rest.contains("workspace = true") {
                found.push(format!("{package} has a version of {name} of its own"));
            }
        }
    }
    if !sections(manifest).contains(&("lints", vec![("workspace", "true")])) {
        found.push(format!("{package} does not take the lints of the workspace"));
    }
    found
}

#[test]
fn no_package_depends_on_what_it_must_not_know() {
    for package in PACKAGES {
        let manifest = std::fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap();
        assert!(!dependencies(&manifest, false).is_empty(), "{package}");
        assert_eq!(violations(package, &manifest), [""; 0]);
    }
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains(&format!("members = {PACKAGES:?}")), "every member is looked at");
    for lint in ["unsafe_code = \"forbid\"", "missing_docs = \"deny\"", "unwrap_used = \"deny\""] {
        assert!(workspace.contains(lint), "{lint}");
    }
}

#[test]
fn a_planted_dependency_is_found() {
    let planted = |package: &str, section: &str, line: &str| {
        let manifest =
            format!("[package]\nname = \"x\"\n\n[{section}]\n{line}\n\n[lints]\nworkspace = true\n");
        violations(package, &manifest)
    };
    assert_eq!(planted("kyc-core", "dependencies", "jiff.workspace = true"), [""; 0]);
    assert_eq!(planted("kyc-core", "dependencies", "ring.workspace = true"), ["kyc-core depends on ring"]);
    assert_eq!(
        planted("kyc-core", "build-dependencies", "ureq.workspace = true"),
        ["kyc-core depends on ureq"]
    );
    assert_eq!(
        planted("kyc-core", "target.'cfg(unix)'.dependencies", "tokio = { workspace = true }"),
        ["kyc-core depends on tokio"]
    );
    assert_eq!(planted("kyc-core", "dev-dependencies", "tokio.workspace = true"), [""; 0]);
    assert_eq!(
        planted("kyc-core", "dependencies", "kyc-adapters.workspace = true"),
        ["kyc-core points back at kyc-adapters"]
    );
    assert_eq!(
        planted("kyc-adapters", "dev-dependencies", "kyc-server.workspace = true"),
        ["kyc-adapters points back at kyc-server"]
    );
    assert_eq!(
        planted("kyc-adapters", "dependencies", "poem.workspace = true"),
        ["kyc-adapters depends on poem"]
    );
    assert_eq!(
        planted("kyc-server", "dependencies", "toml = \"1\""),
        ["kyc-server has a version of toml of its own"]
    );
    let unlinted = violations("kyc-server", "[dependencies]\ntoml.workspace = true\n");
    assert_eq!(unlinted, ["kyc-server does not take the lints of the workspace"]);
}
