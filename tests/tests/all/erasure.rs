//! Erasure shown on real processes and their files: nothing of the person is left on the disk, a restored database
//! does not bring anybody back, and the operator's command does what the job does.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use kyc_tests::app::customers::ada;
use kyc_tests::app::files::pdf;
use kyc_tests::process::{Client, Options, PATIENCE, ServerProcess};
use rusqlite::types::Value as Column;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;

fn options() -> (Options, TempDir) {
    let home = tempfile::tempdir().unwrap();
    (Options::new(env!("CARGO_BIN_EXE_server-under-test"), home.path()), home)
}

fn erase(client: &Client, id: &str) -> u16 {
    let path = format!("/customers/{id}?reason=court_order&override_retention=true");
    client.send("DELETE", &path, None).unwrap().status
}

/// Registers a customer whom the provider has to be asked about, changes the data, and waits for the decision.
fn live(client: &Client, id: &str) {
    client.post("/customers", &ada(id, &format!("{id}-TIMEOUT"))).expecting(201);
    client.settle([id]);
    assert_eq!(client.upload(id, "front", &pdf(id, 1500)), 201);
    client.put(&format!("/customers/{id}"), &json!({"name": format!("Ada of {id}")})).expecting(200);
    client.put(&format!("/customers/{id}/legal-hold"), &json!({"reason": "for a while"})).expecting(200);
    client.settle([id]);
}

/// Every sealed value, key and fingerprint that the database has of a customer, and the id.
fn stored(data: &Path, id: &str) -> Vec<Vec<u8>> {
    let database =
        Connection::open_with_flags(data.join("kyc.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut values = vec![id.as_bytes().to_vec()];
    for sql in [
        "SELECT key_wrapped, legal_hold FROM customers WHERE customer_id = ?1",
        "SELECT d.data FROM customer_versions d JOIN customers c USING (subject) WHERE c.customer_id = ?1",
        "SELECT v.progress, v.link FROM verifications v JOIN customers c USING (subject) WHERE c.customer_id = ?1",
        "SELECT a.answer FROM answers a JOIN verifications v ON v.id = a.verification \
         JOIN customers c USING (subject) WHERE c.customer_id = ?1",
        "SELECT d.digest, k.data FROM document_chunks k JOIN documents d ON d.id = k.document \
         JOIN customers c USING (subject) WHERE c.customer_id = ?1",
        "SELECT f.digest FROM fingerprints f JOIN customers c USING (subject) WHERE c.customer_id = ?1",
    ] {
        let mut statement = database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([id], |row| (0..columns).map(|column| row.get(column)).collect());
        for row in rows.unwrap() {
            let row: Vec<Column> = row.unwrap();
            values.extend(row.into_iter().filter_map(|value| match value {
                Column::Blob(bytes) => Some(bytes),
                Column::Null | Column::Integer(_) | Column::Real(_) | Column::Text(_) => None,
            }));
        }
    }
    values
}

/// What stands before the bytes that are one value's own: the version of the format, the commitment to the key,
/// which all values under one key share, and the nonce.
const HEADER: usize = 45;

/// How many of these values stand in a file of the folder, or a part of them that is no chance.
fn found(data: &Path, values: &[Vec<u8>]) -> usize {
    let mut files = Vec::new();
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.push(fs::read(path).unwrap());
        }
    }
    let parts = |value: &Vec<u8>| -> BTreeSet<Vec<u8>> {
        let own = if value.len() > HEADER { &value[HEADER..] } else { &value[..] };
        own.chunks(16).filter(|part| part.len() >= 8).map(<[u8]>::to_vec).collect()
    };
    let stands =
        |part: &Vec<u8>| files.iter().any(|file| file.windows(part.len()).any(|window| window == part));
    values.iter().filter(|value| parts(value).iter().any(stands)).count()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn nothing_of_who_was_erased_is_in_any_file_and_everybody_else_is() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    for id in ["cus-leaver-1", "cus-stayer-1"] {
        live(&client, id);
    }
    let [mut leaver, stayer] = ["cus-leaver-1", "cus-stayer-1"].map(|id| stored(&options.data(), id));
    // Both have one telephone, and so one fingerprint of it, which stays with the other.
    leaver.retain(|value| !stayer.contains(value));
    assert!(leaver.len() >= 8, "id, key, hold, two versions, progress, answers, fingerprints");
    assert_eq!(found(&options.data(), &leaver), leaver.len(), "the search finds what is there");
    client.send("DELETE", "/customers/cus-leaver-1/legal-hold", None).unwrap();
    assert_eq!(erase(&client, "cus-leaver-1"), 204);

    let begun = Instant::now();
    while found(&options.data(), &leaver) > 0 {
        assert!(begun.elapsed() < PATIENCE, "something of the person stays in the files");
        client.get("/health/ready").expecting(200);
    }
    assert_eq!(found(&options.data(), &stayer), stayer.len());
    client.get("/customers/cus-stayer-1").expecting(200);
    server.kill9();
    assert_eq!((found(&options.data(), &leaver), found(&options.data(), &stayer)), (0, stayer.len()));
    let server = ServerProcess::start(&options);
    assert_eq!(server.client().get("/customers/cus-leaver-1").status, 410);
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(found(&options.data(), &leaver), 0);
}

#[test]
fn whoever_a_restored_database_brings_back_is_erased_again_before_anything_is_served() {
    let (options, home) = options();
    let server = ServerProcess::start(&options);
    live(&server.client(), "cus-1");
    assert_eq!(server.terminate().code(), Some(0));
    let backup = home.path().join("backup.db");
    fs::copy(options.data().join("kyc.db"), &backup).unwrap();
    let values = stored(&options.data(), "cus-1");

    let server = ServerProcess::start(&options);
    server.client().send("DELETE", "/customers/cus-1/legal-hold", None).unwrap();
    server.client().post("/customers", &ada("cus-2", "1")).expecting(201);
    assert_eq!((erase(&server.client(), "cus-1"), erase(&server.client(), "cus-2")), (204, 204));
    // What was answered holds, whatever happens next.
    server.kill9();
    for file in ["kyc.db-wal", "kyc.db-shm"] {
        drop(fs::remove_file(options.data().join(file)));
    }
    fs::copy(&backup, options.data().join("kyc.db")).unwrap();
    assert!(found(&options.data(), &values) > 0, "the backup has the person");

    let server = ServerProcess::start(&options);
    let client = server.client();
    assert_eq!(client.get("/customers/cus-1").status, 410);
    assert_eq!(client.get("/customers/cus-2").status, 410, "whom the backup never knew");
    assert_eq!(client.post("/customers", &ada("cus-2", "1")).status, 410);
    let events = client.get("/audit-events?actor=system:erasure-ledger").expecting(200);
    let told = |event: &Value| {
        format!("{} {}", event["action"].as_str().unwrap(), event["reason"].as_str().unwrap())
    };
    let told: Vec<_> = events["items"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(told, ["customer.erasure_remembered court_order", "customer.erased court_order replayed"]);
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(found(&options.data(), &values), 0);
    let ledger = fs::read_to_string(options.data().join("erasures.ndjson")).unwrap();
    assert_eq!(ledger.lines().count(), 2, "nothing is noted twice");
}

#[test]
fn a_ledger_that_is_lost_is_made_anew_and_one_that_is_damaged_stops_the_start() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    server.client().post("/customers", &ada("cus-1", "1")).expecting(201);
    assert_eq!(erase(&server.client(), "cus-1"), 204);
    assert_eq!(server.terminate().code(), Some(0));
    let path = options.data().join("erasures.ndjson");
    let before = fs::read_to_string(&path).unwrap();
    assert!(!before.contains("cus-1"), "it names nobody");
    fs::remove_file(&path).unwrap();
    let server = ServerProcess::start(&options);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert_eq!(server.terminate().code(), Some(0));
    fs::write(&path, format!("nonsense\n{before}")).unwrap();
    let (status, words) = options.refused();
    assert_eq!(status.code(), Some(1));
    assert!(words.contains("the erasure ledger is damaged at entry 1"), "{words}");
}

#[test]
fn the_command_lists_who_is_due_and_erases_them_with_and_without_a_server() {
    let (options, _home) = options();
    let options = options.with("KYC_RETENTION_YEARS", "0");
    let server = ServerProcess::start(&options);
    let client = server.client();
    for id in ["cus-1", "cus-2", "cus-3"] {
        client.post("/customers", &ada(id, "1")).expecting(201);
    }
    client.settle(["cus-1", "cus-2", "cus-3"]);
    for id in ["cus-1", "cus-2"] {
        let ended = client.put(&format!("/customers/{id}/relationship"), &json!({"ended_on": "2020-01-31"}));
        ended.expecting(200);
    }
    client.put("/customers/cus-2/legal-hold", &json!({"reason": "x"})).expecting(200);
    let dry = said(&options.run(&["retention", "run", "--dry-run"]));
    assert!(dry.contains("cus-1") && !dry.contains("cus-2") && !dry.contains("cus-3"), "{dry}");
    assert!(dry.contains("1 customer is due. Nothing was erased."), "{dry}");
    client.get("/customers/cus-1").expecting(200);
    assert!(said(&options.run(&["retention", "run"])).contains("1 customer was erased."));
    assert_eq!(client.get("/customers/cus-1").status, 410);
    let events = client.get("/audit-events?action=customer.erased").expecting(200);
    assert!(events["items"][0]["actor"].as_str().unwrap().starts_with("operator:uid-"));
    client.send("DELETE", "/customers/cus-2/legal-hold", None).unwrap();
    assert_eq!(server.terminate().code(), Some(0));

    assert!(said(&options.run(&["retention", "run", "--dry-run"])).contains("cus-2"));
    assert!(said(&options.run(&["retention", "run"])).contains("1 customer was erased."));
    assert_eq!(said(&options.run(&["retention", "run"])).trim(), "Nobody is due.");
    let server = ServerProcess::start(&options);
    assert_eq!(server.client().get("/customers/cus-2").status, 410);
    server.client().get("/customers/cus-3").expecting(200);
}
