//! Tests: no statement scans a table or sorts, whatever the number of customers (I9).

use super::*;
use crate::sqlite::{SqliteConfig, open};

const LOOK_UPS: [&str; 65] = [
    CUSTOMER,
    STANDING,
    CUSTOMERS,
    CUSTOMERS_BY_STATUS,
    CUSTOMERS_BY_STAGE,
    SUBJECTS_BY_FINGERPRINT,
    CUSTOMER_BY_SUBJECT,
    SHARING,
    EXPIRED_CUSTOMERS,
    VERIFICATION,
    VERIFICATION_BY_REFERENCE,
    VERIFICATIONS,
    ANSWER,
    NEXT_DUE,
    DUE,
    COUNTS,
    AUDIT_EVENTS,
    AUDIT_EVENTS_BEFORE,
    AUDIT_EVENTS_OF,
    AUDIT_HEAD,
    CUSTOMER_ID,
    FINGERPRINTED_OTHERWISE,
    API_KEY_BY_DIGEST,
    API_KEYS,
    REVISION,
    LEASE_TOKEN,
    IS_UNCLAIMED,
    UPDATE_CUSTOMER,
    HAS_FINGERPRINTS,
    DELETE_FINGERPRINTS,
    LEASE,
    RECORDED,
    TAKEN,
    NEXT_EXPIRY,
    EXPIRED_RECORDS,
    DELETE_RECORD,
    REVOKE_API_KEY,
    TOUCH_API_KEY,
    VERSIONS,
    RETENTION_DUE,
    ERASURE,
    ERASURES,
    IS_ERASED,
    VERIFICATION_IDS,
    DELETE_ANSWER,
    DELETE_VERIFICATIONS,
    DELETE_VERSIONS,
    DELETE_CUSTOMER,
    DUE_FORGETTINGS,
    FORGETTINGS,
    DELETE_FORGETTING,
    DOCUMENTS,
    CHUNK,
    OLDEST_UPLOAD,
    OLD_UPLOADS,
    IS_DOCUMENT,
    UPLOADER,
    CHUNK_COUNT,
    END_UPLOAD,
    DELETE_DOCUMENT,
    DELETE_CHUNKS,
    DOCUMENT_IDS,
    UPLOAD_IDS,
    DELETE_DOCUMENTS,
    DELETE_UPLOADS,
];

fn plan(connection: &rusqlite::Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let parameters = vec![None::<i64>; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap();
    steps.map(Result::unwrap).collect()
}

fn is_a_search(plan: &[String]) -> bool {
    plan.iter().all(|step| step.starts_with("SEARCH"))
}

#[test]
fn every_look_up_is_a_search_of_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let opened = open::open(&SqliteConfig::new(folder.path())).unwrap();
    for sql in LOOK_UPS {
        let plan = plan(&opened.connection, sql);
        assert!(is_a_search(&plan), "{sql}: {plan:?}");
    }
    // The test can fail.
    for sql in ["SELECT * FROM customers", "SELECT * FROM customers WHERE status = ?1 ORDER BY updated_at"] {
        assert!(!is_a_search(&plan(&opened.connection, &format!("{sql} LIMIT 1"))), "{sql}");
    }
}

#[test]
fn the_events_of_a_person_are_found_by_the_person() {
    // A walk back along all events would be a search too, of the sequence alone.
    let folder = tempfile::tempdir().unwrap();
    let opened = open::open(&SqliteConfig::new(folder.path())).unwrap();
    let plan = plan(&opened.connection, AUDIT_EVENTS_OF);
    assert_eq!(plan, ["SEARCH audit_events USING INDEX audit_events_by_subject (subject=? AND rowid<?)"]);
}
