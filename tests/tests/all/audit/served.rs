//! A server that signs checkpoints, and refuses a database that is not the one they were signed for.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kyc_adapters::checkpoint::verify;
use kyc_core::domain::checkpoint::{Checkpoint, VerifierKey};
use kyc_tests::app::customers::ada;
use kyc_tests::process::{Options, PATIENCE, ServerProcess};
use serde_json::Value;

use super::{Log, edit, options, outcome};

fn register(server: &ServerProcess, ids: &[&str]) {
    for id in ids {
        server.client().post("/customers", &ada(id, "925076473")).expecting(201);
    }
}

fn checkpoints(options: &Options) -> PathBuf {
    options.data().join("checkpoints")
}

fn audit(options: &Options, arguments: &[&str]) -> Result<String, String> {
    outcome(&options.run(&[&["audit"], arguments].concat()))
}

fn verify_signed(options: &Options) -> Result<String, String> {
    audit(options, &["verify", "--checkpoints", checkpoints(options).to_str().unwrap()])
}

/// Without workers, so that every event is one that the test made.
fn quiet() -> (Options, tempfile::TempDir) {
    let (options, home) = options();
    (options.with("KYC_WORKERS", "0"), home)
}

/// Starts a server, and waits for its first checkpoint: the next comes a minute later, or at the stop.
fn start_signed(options: &Options, folder: &Path) -> ServerProcess {
    let server = ServerProcess::start(options);
    let begun = Instant::now();
    let is_checkpoint =
        |entry: io::Result<DirEntry>| entry.unwrap().path().extension() == Some("checkpoint".as_ref());
    while !fs::read_dir(folder).unwrap().any(is_checkpoint) {
        assert!(begun.elapsed() < PATIENCE, "no checkpoint at the start");
    }
    server
}

/// Serves so many registrations, and stops.
fn serve(options: &Options, ids: &[&str]) {
    let server = ServerProcess::start(options);
    register(&server, ids);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn a_log_is_verified_while_the_server_serves_and_signed_to_its_end_when_it_stops() {
    let (options, _home) = quiet();
    let server = ServerProcess::start(&options);
    for n in 1..=5 {
        register(&server, &[&format!("c-{n}")]);
        let said = audit(&options, &["verify"]).unwrap();
        assert!(said.starts_with(&format!("The audit log is whole: {n} events")), "{said}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    let said = verify_signed(&options).unwrap();
    assert!(said.contains("the newest of 5 events"), "{said}");
}

#[test]
fn each_checkpoint_is_a_line_of_the_log_too() {
    let (options, _home) = quiet();
    let server = start_signed(&options, &checkpoints(&options));
    register(&server, &["c-1", "c-2"]);
    assert_eq!(server.terminate().code(), Some(0));
    let key = VerifierKey::parse(audit(&options, &["public-key"]).unwrap().trim()).unwrap();
    let log = fs::read_to_string(options.stderr()).unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let notes = lines.filter(|line| line["target"] == "audit_checkpoint");
    let sizes =
        notes.map(|line| Checkpoint::open(line["note"].as_str().unwrap(), &key, verify).unwrap().size);
    let sizes: Vec<u64> = sizes.collect();
    assert_eq!(sizes, [0, 2]);
}

/// What a server says that does not start on a folder.
fn refused(log: &Log) -> String {
    let (status, said) = log.options.refused();
    assert_eq!(status.code(), Some(1));
    said
}

#[test]
fn a_database_that_was_rolled_back_is_not_served_until_the_operator_says_so() {
    let log = Log::of(2);
    let older = fs::read(log.database()).unwrap();
    log.append(3..=3);
    log.sign(3);
    fs::write(log.database(), older).unwrap();
    let said = refused(&log);
    for words in [
        "event 3 and those after it are missing",
        "Bring back the newest database",
        "move the checkpoints to a safe place",
        log.checkpoints().to_str().unwrap(),
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    fs::rename(log.checkpoints(), log.options.data().join("evidence")).unwrap();
    let options = log.options.clone().with("KYC_WORKERS", "0");
    serve(&options, &["c-4"]);
    let told = fs::read_to_string(options.stderr()).unwrap();
    assert!(told.contains("what came before is not vouched for"), "{told}");
}

#[test]
fn events_that_came_after_the_newest_checkpoint_are_walked_before_they_are_served() {
    let log = Log::of(2);
    log.sign(2);
    log.append(3..=5);
    log.edit("UPDATE audit_events SET actor = 'x' WHERE sequence = 4");
    let said = refused(&log);
    assert!(said.contains("event 4 was edited"), "{said}");
}

#[test]
fn events_before_the_newest_checkpoint_are_walked_before_they_are_served() {
    for signed in [true, false] {
        let log = Log::of(5);
        if signed {
            log.sign(5);
        }
        log.edit("UPDATE audit_events SET actor = 'x' WHERE sequence = 2");
        let said = refused(&log);
        assert!(said.contains("event 2 was edited"), "{said}");
    }
}

#[test]
fn a_checkpoint_or_a_key_that_is_not_the_servers_is_named_and_nothing_starts() {
    let log = Log::of(1);
    log.sign(1);
    let forged = log.checkpoints().join("forged.checkpoint");
    fs::write(&forged, "kyc-audit/0\n9\n").unwrap();
    let said = refused(&log);
    assert!(said.contains(forged.to_str().unwrap()), "{said}");
    fs::rename(&forged, log.checkpoints().join("README")).unwrap();
    let elsewhere = log.options.data().join("elsewhere");
    fs::rename(log.key(), &elsewhere).unwrap();
    let said = refused(&log);
    assert!(said.contains("the checkpoint key is missing") && !log.key().exists(), "{said}");
    let options = log.options.clone().with("KYC_CHECKPOINT_KEY", elsewhere.to_str().unwrap());
    serve(&options.with("KYC_WORKERS", "0"), &["c-2"]);
}

#[test]
fn a_log_that_is_changed_under_the_server_is_not_signed() {
    let (options, _home) = quiet();
    let server = start_signed(&options, &checkpoints(&options));
    register(&server, &["c-1", "c-2", "c-3"]);
    edit(&options.data().join("kyc.db"), "UPDATE audit_events SET actor = 'x' WHERE sequence = 2");
    register(&server, &["c-4"]);
    assert_eq!(server.terminate().code(), Some(0), "the service itself goes on");
    let log = fs::read_to_string(options.stderr()).unwrap();
    assert!(
        log.contains("the audit log was changed under the service") && log.contains("event 2 was edited")
    );
    assert!(verify_signed(&options).unwrap_err().contains("event 2 was edited"));
    assert!(options.refused().1.contains("event 2 was edited"));
}

#[test]
fn a_folder_that_can_not_be_written_to_any_more_does_not_stop_the_service() {
    let (options, home) = quiet();
    let folder = home.path().join("other-disk");
    let options = options.with("KYC_CHECKPOINT_DIR", folder.to_str().unwrap());
    let server = start_signed(&options, &folder);
    register(&server, &["c-1"]);
    fs::remove_dir_all(&folder).unwrap();
    register(&server, &["c-2"]);
    assert_eq!(server.terminate().code(), Some(0));
    let log = fs::read_to_string(options.stderr()).unwrap();
    assert!(log.contains("a checkpoint could not be kept") && log.contains("\"failures\":1"), "{log}");
    assert!(!folder.exists(), "a disk that is gone is not stood in for by a folder in its place");
}
