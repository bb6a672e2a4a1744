//! What is not the database that this program wrote is refused at start, and never served as an empty one.

use std::fs;
use std::path::Path;

use kyc_adapters::sqlite::{OpenError, SqliteConfig, SqliteStore};
use kyc_core::contract::store::rows;
use kyc_core::ports::store::{ApiKeyReads, CustomerReads, StoreError, VerificationReads};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{fresh, open, register};

/// A folder with some hundred customers, closed.
async fn filled() -> TempDir {
    let (store, folder) = fresh();
    register(&store, 1..=100).await;
    store.close().await;
    folder
}

fn refused(folder: &TempDir) -> OpenError {
    SqliteStore::open(SqliteConfig::new(folder.path())).unwrap_err()
}

fn database(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("kyc.db")
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_text_file_is_refused() {
    let folder = super::folder();
    fs::write(database(&folder), "name,email\nnobody,nobody@example.com\n".repeat(500)).unwrap();
    assert!(matches!(refused(&folder), OpenError::Damaged));
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let folder = filled().await;
    edit(&database(&folder), |bytes| bytes.truncate(bytes.len() / 2));
    assert!(matches!(refused(&folder), OpenError::Damaged));
}

#[tokio::test]
async fn a_page_of_flipped_bytes_is_refused_wherever_it_lies() {
    let folder = filled().await;
    let whole = fs::read(database(&folder)).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 10);
    for page in (0..pages).step_by(3) {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(database(&folder), bytes).unwrap();
        let error = refused(&folder);
        assert!(matches!(error, OpenError::Damaged), "page {page}: {error:?}");
    }
    fs::write(database(&folder), whole).unwrap();
    open(&folder);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = filled().await;
    let direct = Connection::open(database(&folder)).unwrap();
    direct
        .execute_batch(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (99, 'later', '2027-01-01T00:00:00Z', '1');
             CREATE TABLE later (x)",
        )
        .unwrap();
    drop(direct);
    let error = refused(&folder);
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    // Numbers were given out before they were used, so that there may be gaps.
    let number = |name: &str| name.trim_start_matches('V').split("__").next()?.parse::<i64>().ok();
    let names =
        fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let newest = names.filter_map(|name| number(&name)).max().unwrap();
    let OpenError::NewerSchema { found: 99, known } = error else { panic!("{error:?}") };
    assert_eq!(known, newest);
    assert_eq!(
        error.to_string(),
        format!("the database has schema 99 and this program knows none after {newest}: run a newer one")
    );
}

#[tokio::test]
async fn another_schema_of_the_same_version_is_refused() {
    let folder = filled().await;
    let direct = Connection::open(database(&folder)).unwrap();
    direct.execute("UPDATE refinery_schema_history SET checksum = '1'", []).unwrap();
    drop(direct);
    assert!(matches!(refused(&folder), OpenError::Schema(_)));
}

#[tokio::test]
async fn a_row_that_the_core_cannot_read_is_an_error_and_no_answer() {
    let folder = filled().await;
    let direct = Connection::open(database(&folder)).unwrap();
    direct
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             UPDATE customers SET status = 'approved' WHERE customer_id = 'customer-1';
             UPDATE customers SET latest_verification = zeroblob(16) WHERE customer_id = 'customer-2';
             UPDATE verifications SET discrepancies = 'mismatch.unheard_of  major  '
                WHERE id = (SELECT latest_verification FROM customers WHERE customer_id = 'customer-3');",
        )
        .unwrap();
    drop(direct);
    // The check at start would see the first one; so this is damage that came while the store was open.
    let corrupt = Err(StoreError::Corrupt);
    let store = SqliteStore::open(SqliteConfig::new(folder.path()));
    assert!(matches!(store, Err(OpenError::Damaged)));
    let direct = Connection::open(database(&folder)).unwrap();
    direct.execute("UPDATE customers SET status = 'pending' WHERE customer_id = 'customer-1'", []).unwrap();
    drop(direct);
    let store = open(&folder);
    assert!(store.customer(&rows::customer_id(1)).await.unwrap().is_some());
    assert_eq!(store.customer(&rows::customer_id(2)).await, corrupt);
    assert_eq!(store.customer(&rows::customer_id(3)).await, corrupt);
    assert_eq!(store.verifications(rows::subject(3)).await, Err(StoreError::Corrupt));
    assert_eq!(store.customer(&rows::customer_id(4)).await, Ok(Some(rows::record(4))));
}

#[tokio::test]
async fn a_damaged_verification_does_not_keep_the_others_from_being_claimed() {
    use kyc_core::ports::Store;
    use kyc_core::ports::store::{Claim, Queue};

    let folder = filled().await;
    let direct = Connection::open(database(&folder)).unwrap();
    direct
        .execute(
            "UPDATE verifications SET discrepancies = '?' WHERE id = ?1",
            [&rows::verification_id(1).to_bytes()[..]],
        )
        .unwrap();
    drop(direct);
    let store = open(&folder);
    let claim = Claim { queue: Queue::Verifications, limit: 2, now: rows::at(1000), until: rows::at(2000) };
    let first = store.claim(claim).await.unwrap();
    assert_eq!(
        first.iter().map(|work| work.lease.verification).collect::<Vec<_>>(),
        [rows::verification_id(2)]
    );
    let second = store.claim(claim).await.unwrap();
    assert_eq!(second.len(), 2);
}

#[tokio::test]
async fn an_api_key_that_cannot_be_read_is_an_error_and_opens_nothing() {
    use kyc_core::ports::Store;
    use kyc_core::ports::store::Write;

    let (store, folder) = fresh();
    let keys = (1..=4).map(|n| Write::InsertApiKey(rows::api_key(n))).collect();
    store.commit(rows::changeset(1, keys)).await.unwrap();
    let direct = Connection::open(database(&folder)).unwrap();
    direct
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON;
             UPDATE api_keys SET allowed_addresses = ' ' WHERE name = 'key-1';
             UPDATE api_keys SET role = 'root' WHERE name = 'key-2';
             UPDATE api_keys SET allowed_addresses = '10.0.0.1/8' WHERE name = 'key-3';",
        )
        .unwrap();
    drop(direct);
    for n in 1..=3 {
        assert_eq!(store.api_key_by_digest(rows::digest(n)).await, Err(StoreError::Corrupt), "{n}");
    }
    assert_eq!(store.api_key_by_digest(rows::digest(4)).await, Ok(Some(rows::api_key(4))));
    assert_eq!(store.api_keys().await, Err(StoreError::Corrupt));
}
