//! One edit by hand, and what `audit verify` says of it (OWASP ASVS 5.0.0, 16.4.2).

use super::{Log, assert_fault};

const EVENTS: u32 = 12;

#[test]
fn an_untouched_log_is_whole() {
    let log = Log::of(EVENTS);
    let said = log.verify().unwrap();
    let head = format!("{:?}", log.events()[11].hash);
    assert!(said.starts_with(&format!("The audit log is whole: 12 events, the head is {head}.\n")), "{said}");
    assert!(said.contains("No checkpoint was compared"), "{said}");
    assert!(Log::of(0).verify().unwrap().starts_with("The audit log is whole: 0 events"));
}

#[test]
fn asvs_16_4_2_an_edit_of_any_column_is_found_and_its_event_named() {
    let log = Log::of(EVENTS);
    let whole = std::fs::read(log.database()).unwrap();
    for change in [
        "changeset = zeroblob(16)",
        "at = at + 1",
        "actor = 'admin:somebody'",
        "action = 'customer.read'",
        "subject = NULL",
        "subject = zeroblob(16)",
        "verification = zeroblob(16)",
        "provider = 'acme'",
        "target = 'api_key:1'",
        "reason = 'update'",
        "from_status = 'verified'",
        "to_status = 'verified'",
        "fields = 'name'",
        "request_id = 'r-2'",
        "hash = zeroblob(32)",
    ] {
        std::fs::write(log.database(), &whole).unwrap();
        log.edit(&format!("UPDATE audit_events SET {change} WHERE sequence = 7"));
        assert_fault(log.verify(), "event 7 was edited");
    }
}

#[test]
fn what_was_never_written_to_a_column_is_named_by_its_event_and_no_panic() {
    let log = Log::of(EVENTS);
    let whole = std::fs::read(log.database()).unwrap();
    for change in [
        "changeset = x''",
        "actor = CAST(x'ff' AS TEXT)",
        "action = 'customer.forgotten'",
        "subject = x'00'",
        "verification = zeroblob(17)",
        "provider = 'Acme, Inc.'",
        "from_status = 'approved'",
        "to_status = ''",
        "fields = ' '",
        "fields = 'name  email'",
        "hash = zeroblob(1000)",
    ] {
        std::fs::write(log.database(), &whole).unwrap();
        log.edit(&format!("UPDATE audit_events SET {change} WHERE sequence = 7"));
        assert_fault(log.verify(), "event 7 can't be read");
    }
}

#[test]
fn asvs_16_4_2_a_removed_a_moved_and_an_added_event_are_named() {
    let log = Log::of(EVENTS);
    let whole = std::fs::read(log.database()).unwrap();
    let columns = "changeset, at, actor, action, subject, verification, provider, target, reason, from_status, \
                   to_status, fields, request_id, hash";
    let add = |place: &str| {
        format!(
            "INSERT INTO audit_events (sequence, {columns}) SELECT {place}, {columns} FROM audit_events WHERE sequence = 12"
        )
    };
    for (sql, words) in [
        ("DELETE FROM audit_events WHERE sequence = 7", "event 7 is missing or out of place: 8 stands there"),
        ("DELETE FROM audit_events WHERE sequence = 1", "event 1 is missing or out of place: 2 stands there"),
        (
            "DELETE FROM audit_events WHERE sequence < 12",
            "event 1 is missing or out of place: 12 stands there",
        ),
        (
            "UPDATE audit_events SET sequence = 100 WHERE sequence = 7;
             UPDATE audit_events SET sequence = 7 WHERE sequence = 8;
             UPDATE audit_events SET sequence = 8 WHERE sequence = 100;",
            "event 7 was edited",
        ),
        ("UPDATE audit_events SET sequence = 13 WHERE sequence = 7", "event 7 is missing or out of place"),
        (&add("13"), "event 13 was edited"),
        (&add("9223372036854775807"), "event 13 is missing or out of place"),
        (&add("0"), "event 1 is missing or out of place: 0 stands there"),
        (&add("-1"), "event 1 is missing or out of place: 0 stands there"),
    ] {
        std::fs::write(log.database(), &whole).unwrap();
        log.edit(sql);
        assert_fault(log.verify(), words);
    }
}

#[test]
fn the_first_of_several_faults_is_named() {
    let log = Log::of(EVENTS);
    log.edit(
        "UPDATE audit_events SET actor = 'x' WHERE sequence = 9;
         UPDATE audit_events SET action = 'x' WHERE sequence = 8;
         DELETE FROM audit_events WHERE sequence = 5",
    );
    assert_fault(log.verify(), "event 5 is missing");
    log.edit("UPDATE audit_events SET fields = 'name' WHERE sequence = 3");
    assert_fault(log.verify(), "event 3 was edited");
}

#[test]
fn how_far_it_has_come_is_told_in_lines_where_there_is_no_terminal() {
    let log = Log::of(1500);
    let output = log.options.run(&["audit", "verify"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        ["1000 of 1500 events checked", "1500 of 1500 events checked"]
    );
}

#[test]
fn where_there_is_no_log_that_is_said() {
    let log = Log::of(1);
    std::fs::write(log.database(), "nothing").unwrap();
    let said = log.verify().unwrap_err();
    assert!(said.contains("damaged or is not a database"), "{said}");
    std::fs::remove_file(log.database()).unwrap();
    assert!(log.verify().unwrap_err().contains("there is no database in the data folder"));
    assert!(!log.database().exists());
}
