//! What the core's types can't say, a row can't hold: the CHECKs, one edit of a sound row each.

use kyc_core::contract::store::rows;
use kyc_core::domain::permission::Role;
use kyc_core::ports::Store;
use kyc_core::ports::store::Write;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{fresh, register};

/// A database with one registered customer and one API key, opened beside the store with foreign keys checked.
async fn direct() -> (Connection, TempDir) {
    let (store, folder) = fresh();
    register(&store, 1..=1).await;
    store.commit(rows::changeset(2, vec![Write::InsertApiKey(rows::api_key(1))])).await.unwrap();
    store.close().await;
    let connection = Connection::open(folder.path().join("kyc.db")).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    (connection, folder)
}

fn holds(connection: &Connection, sql: &str) -> bool {
    connection.execute_batch("SAVEPOINT attempt").unwrap();
    let outcome = connection.execute_batch(sql);
    connection.execute_batch("ROLLBACK TO attempt; RELEASE attempt").unwrap();
    match outcome {
        Ok(()) => true,
        Err(error) => {
            let code = error.sqlite_error_code();
            assert_eq!(code, Some(rusqlite::ErrorCode::ConstraintViolation), "{sql}: {error}");
            false
        }
    }
}

#[tokio::test]
async fn every_combination_of_a_customers_status_is_allowed_or_refused_as_in_the_core() {
    let (connection, _folder) = direct().await;
    let mut allowed = Vec::new();
    for status in ["pending", "verified", "rejected", "approved", ""] {
        for stage in ["NULL", "'queued'", "'with_provider'", "'awaiting_customer'", "'in_review'", "'lost'"] {
            for valid_until in ["NULL", "1"] {
                for last in ["0", "1", "2"] {
                    let sql = format!(
                        "UPDATE customers SET status = '{status}', stage = {stage}, \
                         valid_until = {valid_until}, final = {last}"
                    );
                    if holds(&connection, &sql) {
                        allowed.push(format!("{status} {stage} {valid_until} {last}"));
                    }
                }
            }
        }
    }
    let expected = [
        "pending 'queued' NULL 0",
        "pending 'with_provider' NULL 0",
        "pending 'awaiting_customer' NULL 0",
        "pending 'in_review' NULL 0",
        "verified NULL NULL 0",
        "verified NULL 1 0",
        "rejected NULL NULL 0",
        "rejected NULL NULL 1",
    ];
    assert_eq!(allowed, expected);
}

#[tokio::test]
async fn every_combination_of_a_verifications_state_is_allowed_or_refused_as_in_the_core() {
    let (connection, _folder) = direct().await;
    let mut allowed = Vec::new();
    for state in ["queued", "submitted", "completed", "failed", "superseded", "lost"] {
        for finding in ["NULL", "'clear'", "'consider'", "'unusable'", "'fine'"] {
            for due_at in ["NULL", "1"] {
                for submitted_at in ["NULL", "2"] {
                    for completed_at in ["NULL", "3"] {
                        let sql = format!(
                            "UPDATE verifications SET state = '{state}', finding = {finding}, \
                             due_at = {due_at}, submitted_at = {submitted_at}, completed_at = {completed_at}"
                        );
                        if holds(&connection, &sql) {
                            allowed.push(format!("{state} {finding} {due_at} {submitted_at} {completed_at}"));
                        }
                    }
                }
            }
        }
    }
    let expected = [
        "queued NULL 1 NULL NULL",
        "submitted NULL 1 2 NULL",
        "completed 'clear' NULL NULL 3",
        "completed 'clear' NULL 2 3",
        "completed 'consider' NULL NULL 3",
        "completed 'consider' NULL 2 3",
        "completed 'unusable' NULL NULL 3",
        "completed 'unusable' NULL 2 3",
        "failed NULL NULL NULL 3",
        "failed NULL NULL 2 3",
        "superseded NULL NULL NULL 3",
        "superseded NULL NULL 2 3",
    ];
    assert_eq!(allowed, expected);
}

#[tokio::test]
async fn the_roles_of_a_key_are_those_of_the_core() {
    let (connection, _folder) = direct().await;
    let may_be =
        |word: &str| holds(&connection, &format!("UPDATE api_keys SET role = '{word}', expires_at = 1"));
    for role in Role::ALL {
        assert!(may_be(role.as_str()), "{role}");
    }
    for word in ["", "root", "Admin", "admin ", "system"] {
        assert!(!may_be(word), "{word}");
    }
    for name in ["a", "ada.lovelace@example.com", "A_z-09"] {
        assert!(holds(&connection, &format!("UPDATE api_keys SET name = '{name}', subject = '{name}'")));
    }
}

#[tokio::test]
async fn what_no_type_of_the_core_can_hold_is_refused() {
    let (connection, _folder) = direct().await;
    connection
        .execute_batch(
            "INSERT INTO answers (verification, answer, at) SELECT id, x'00', 1 FROM verifications;
             PRAGMA query_only = OFF",
        )
        .unwrap();
    for (sql, why) in [
        ("UPDATE customers SET subject = zeroblob(15)", "an id of another length"),
        ("UPDATE customers SET subject = '0123456789abcdef'", "text for bytes"),
        ("UPDATE customers SET customer_id = ''", "an empty id"),
        ("UPDATE customers SET customer_id = printf('%065d', 0)", "an id that is too long"),
        ("UPDATE customers SET version = 0", "a version before the first"),
        ("UPDATE customers SET revision = 0", "a revision before the first"),
        ("UPDATE customers SET revision = 1.5", "half a revision"),
        ("UPDATE customers SET version = 4294967296", "a version that does not fit"),
        ("UPDATE customers SET key_messages = -1", "a count below nothing"),
        ("UPDATE customers SET latest_verification = zeroblob(17)", "an id of another length"),
        ("UPDATE customers SET registered_at = 'today'", "a time that is text"),
        ("UPDATE customer_versions SET data = x'00'", "a version overwritten"),
        ("DELETE FROM customers", "a customer with versions"),
        ("DELETE FROM customer_versions", "a version with verifications"),
        (
            "INSERT INTO customer_versions (subject, version, data, at) \
             SELECT subject, 1, x'00', 1 FROM customers",
            "twice",
        ),
        (
            "INSERT INTO customer_versions (subject, version, data, at) VALUES (zeroblob(16), 1, x'00', 1)",
            "nobody's",
        ),
        ("UPDATE fingerprints SET digest = zeroblob(31)", "a digest that is too short"),
        ("UPDATE fingerprints SET subject = zeroblob(16)", "nobody's"),
        ("UPDATE fingerprints SET kind = ''", "no kind"),
        ("UPDATE verifications SET id = zeroblob(1)", "an id of another length"),
        ("UPDATE verifications SET version = 2", "of a version that isn't there"),
        ("UPDATE verifications SET provider = 'Other'", "a provider with a capital"),
        ("UPDATE verifications SET cause = 'whim'", "an unknown cause"),
        ("UPDATE verifications SET failures = -1", "a count below nothing"),
        ("UPDATE verifications SET lease_token = -1", "a token below nothing"),
        (
            "UPDATE verifications SET state = 'failed', due_at = NULL, completed_at = 1, link = x'00'",
            "a link that outlives its verification",
        ),
        (
            "UPDATE verifications SET state = 'failed', due_at = NULL, completed_at = 1, lease_until = 1",
            "a lease that outlives its verification",
        ),
        ("INSERT INTO answers (verification, answer, at) VALUES (zeroblob(16), x'00', 1)", "to nothing"),
        (
            "INSERT INTO answers (verification, answer, at) SELECT id, x'01', 1 FROM verifications",
            "a second answer",
        ),
        ("UPDATE counters SET day = '2026-1-1'", "a day of another form"),
        ("UPDATE counters SET kind = 'mood'", "an unknown kind"),
        ("UPDATE counters SET word = 'approved'", "an unknown status"),
        ("UPDATE counters SET bucket = 1", "a bucket of a status"),
        (
            "UPDATE counters SET kind = 'decision', word = 'manual', bucket = 65536",
            "a bucket that does not fit",
        ),
        ("UPDATE counters SET value = 0.5", "half a customer"),
        ("UPDATE audit_events SET reason = 'other'", "an event edited"),
        ("DELETE FROM audit_events", "an event removed"),
        ("UPDATE api_keys SET id = zeroblob(15)", "an id of another length"),
        ("UPDATE api_keys SET name = ''", "no name"),
        ("UPDATE api_keys SET name = printf('%065d', 0)", "a name that is too long"),
        ("UPDATE api_keys SET name = 'a b'", "a name with a space"),
        ("UPDATE api_keys SET subject = ''", "nobody's key"),
        ("UPDATE api_keys SET subject = printf('%065d', 0)", "a subject that is too long"),
        ("UPDATE api_keys SET subject = 'a:b'", "a subject that would split the actor of an event"),
        ("UPDATE api_keys SET digest = zeroblob(31)", "a digest that is too short"),
        ("UPDATE api_keys SET digest = '01234567890123456789012345678901'", "text for bytes"),
        ("UPDATE api_keys SET allowed_addresses = NULL", "addresses unknown"),
        ("UPDATE api_keys SET allowed_addresses = 'all'", "a word for addresses"),
        ("UPDATE api_keys SET created_at = NULL", "made at no time"),
        ("UPDATE api_keys SET expires_at = 'never'", "a time that is text"),
        (
            "INSERT INTO api_keys (id, name, subject, role, digest, allowed_addresses, created_at)
             SELECT id, name, subject, role, zeroblob(32), '', 1 FROM api_keys",
            "an id twice",
        ),
        (
            "INSERT INTO api_keys (id, name, subject, role, digest, allowed_addresses, created_at)
             SELECT zeroblob(16), name, subject, role, digest, '', 1 FROM api_keys",
            "a digest twice",
        ),
        ("INSERT INTO probe VALUES (2, x'')", "a second probe"),
    ] {
        assert!(!holds(&connection, sql), "{why}: {sql}");
    }
}

#[tokio::test]
async fn every_table_is_strict() {
    let (connection, _folder) = direct().await;
    let mut statement = connection
        .prepare(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type = 'table' AND NOT strict
             AND name NOT LIKE 'sqlite_%' AND name <> 'refinery_schema_history'",
        )
        .unwrap();
    let loose: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(loose.is_empty(), "{loose:?}");
}

#[tokio::test]
async fn a_recorded_answer_is_sealed_or_of_an_api_key_and_never_both_or_neither() {
    let (connection, _folder) = direct().await;
    let insert = |key: &str, body: &str, subject: &str, answer: &str, api_key: &str| {
        let sql = format!(
            "INSERT INTO idempotency (key, body, subject, answer, api_key, expires_at) \
             VALUES ({key}, {body}, {subject}, {answer}, {api_key}, 1)"
        );
        holds(&connection, &sql)
    };
    let (whole, short) = ("randomblob(32)", "randomblob(31)");
    let (subject, api_key) = ("(SELECT subject FROM customers)", "(SELECT id FROM api_keys)");
    assert!(insert(whole, whole, subject, "x'00'", "NULL"));
    assert!(insert(whole, whole, "NULL", "NULL", api_key));
    assert!(!insert(whole, whole, "NULL", "NULL", "NULL"));
    assert!(!insert(whole, whole, subject, "NULL", "NULL"));
    assert!(!insert(whole, whole, "NULL", "x'00'", api_key));
    assert!(!insert(whole, whole, subject, "x'00'", api_key));
    assert!(!insert(short, whole, subject, "x'00'", "NULL"));
    assert!(!insert(whole, short, subject, "x'00'", "NULL"));
    assert!(!insert(whole, whole, "randomblob(16)", "x'00'", "NULL"), "of nobody");
    assert!(!insert(whole, whole, "NULL", "NULL", "randomblob(16)"), "of no key");
}
