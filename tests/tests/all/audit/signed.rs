//! What only a checkpoint shows: a cut end, an older copy, a log that was written anew with hashes that fit.

use std::fs;

use kyc_core::domain::audit::AuditHash;
use rusqlite::{Connection, params};

use super::{Log, assert_fault, outcome};

/// Twelve events, signed at four sizes.
fn signed() -> Log {
    let log = Log::of(12);
    for size in [2, 4, 8, 12] {
        log.sign(size);
    }
    log
}

/// What somebody does who knows how the hashes are made: another actor from an event on, and hashes that fit.
fn forge(log: &Log, from: u64) {
    log.edit("");
    let connection = Connection::open(log.database()).unwrap();
    let mut head = AuditHash::ORIGIN;
    for mut chained in log.events() {
        if chained.sequence >= from {
            chained.event.actor = "admin:somebody-else".to_owned();
        }
        head = head.next(chained.sequence, chained.changeset, &chained.event);
        let values = params![chained.event.actor, head.to_bytes(), i64::try_from(chained.sequence).unwrap()];
        connection
            .execute("UPDATE audit_events SET actor = ?1, hash = ?2 WHERE sequence = ?3", values)
            .unwrap();
    }
}

#[test]
fn a_log_that_fits_its_checkpoints_is_whole() {
    let log = signed();
    let said = log.verify_signed().unwrap();
    assert!(
        said.contains("It fits 4 checkpoints, the newest of 12 events at 2026-01-31T12:00:00Z."),
        "{said}"
    );
    log.append(13..=20);
    assert!(log.verify_signed().unwrap().starts_with("The audit log is whole: 20 events"));
}

#[test]
fn asvs_16_4_2_a_cut_end_is_found_with_a_checkpoint_and_only_with_one() {
    let log = signed();
    log.edit("DELETE FROM audit_events WHERE sequence > 10");
    assert!(log.verify().unwrap().starts_with("The audit log is whole: 10 events"));
    assert_fault(log.verify_signed(), "event 11 and those after it are missing: the log ends at event 10");
    log.edit("DELETE FROM audit_events");
    assert_fault(log.verify_signed(), "event 1 and those after it are missing");
}

#[test]
fn asvs_16_4_2_a_database_that_was_rolled_back_is_found_with_a_checkpoint() {
    let log = Log::of(6);
    let older = fs::read(log.database()).unwrap();
    log.append(7..=12);
    log.sign(12);
    fs::write(log.database(), older).unwrap();
    assert!(log.verify().is_ok());
    assert_fault(log.verify_signed(), "event 7 and those after it are missing");
    // The older copy was served on, so that its log is as long again.
    log.append(17..=22);
    assert!(log.verify().is_ok());
    assert_fault(log.verify_signed(), "one of the events 1 to 12 was changed");
}

#[test]
fn asvs_16_4_2_a_log_whose_hashes_were_made_anew_is_found_with_a_checkpoint() {
    let log = signed();
    forge(&log, 6);
    assert!(log.verify().is_ok(), "the hashes fit each other");
    assert_fault(
        log.verify_signed(),
        "event 8 is not the one that a checkpoint was signed for, so one of the events 5 to 8 was changed",
    );
    forge(&log, 1);
    assert_fault(log.verify_signed(), "one of the events 1 to 2 was changed");
}

#[test]
fn a_checkpoint_that_was_changed_or_is_of_another_log_is_named() {
    let log = signed();
    let first = fs::read_dir(log.checkpoints()).unwrap().next().unwrap().unwrap().path();
    let note = fs::read_to_string(&first).unwrap();
    fs::write(&first, note.replace("time 2026", "time 2025")).unwrap();
    let said = log.verify_signed().unwrap_err();
    assert!(said.contains(first.to_str().unwrap()) && said.contains("its signature is wrong"), "{said}");
    let other = Log::of(1);
    other.sign(1);
    let foreign = fs::read_dir(other.checkpoints()).unwrap().next().unwrap().unwrap().path();
    fs::copy(foreign, &first).unwrap();
    let said = log.verify_signed().unwrap_err();
    assert!(
        said.contains(first.to_str().unwrap()) && said.contains("not signed by the key of this log"),
        "{said}"
    );
}

#[test]
fn the_public_key_is_enough_to_verify() {
    let log = signed();
    let key = outcome(&log.options.run(&["audit", "public-key"])).unwrap();
    fs::remove_file(log.key()).unwrap();
    let folder = log.checkpoints();
    let verify = |key: &str| {
        let folder = folder.to_str().unwrap();
        outcome(&log.options.run(&["audit", "verify", "--checkpoints", folder, "--public-key", key]))
    };
    assert!(verify(key.trim()).unwrap().contains("It fits 4 checkpoints"));
    let other = Log::of(1);
    other.sign(1);
    let other = outcome(&other.options.run(&["audit", "public-key"])).unwrap();
    assert!(verify(other.trim()).unwrap_err().contains("not signed by the key of this log"));
    assert!(verify("nonsense").unwrap_err().contains("a public key such as kyc-audit/"));
    assert!(log.verify_signed().unwrap_err().contains("there is no checkpoint key"));
}

#[test]
fn a_folder_without_checkpoints_is_no_proof() {
    let log = signed();
    fs::remove_dir_all(log.checkpoints()).unwrap();
    assert!(log.verify_signed().unwrap_err().contains("checkpoints: "));
    fs::create_dir(log.checkpoints()).unwrap();
    assert!(log.verify_signed().unwrap_err().contains("there is no checkpoint in this folder"));
}
