//! Rows of customers that were swapped or edited by hand: nobody is ever shown as somebody else.

use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::json;

/// A service with two customers who were verified, and a connection of somebody else to its database.
fn two() -> (TestApp, Connection) {
    let app = TestApp::start();
    app.register_and_run("ada", "925076473");
    let mut grace = ada("grace", "533380006-MISMATCH");
    grace["name"] = json!("Grace Hopper");
    grace["email"] = json!("grace@example.com");
    app.post("/customers", &grace).expect(201);
    app.run_due();
    let direct = Connection::open(app.data().join("kyc.db")).unwrap();
    direct.execute_batch("DROP TRIGGER customer_versions_are_not_overwritten").unwrap();
    (app, direct)
}

fn subjects(direct: &Connection) -> [Vec<u8>; 2] {
    ["ada", "grace"].map(|id| {
        direct
            .query_row("SELECT subject FROM customers WHERE customer_id = ?1", [id], |row| row.get(0))
            .unwrap()
    })
}

/// Swaps a column of the two. To swap it again undoes it.
fn swap(direct: &Connection, subjects: &[Vec<u8>; 2], table: &str, column: &str) {
    let read = format!("SELECT {column} FROM {table} WHERE subject = ?1");
    let write = format!("UPDATE {table} SET {column} = ?2 WHERE subject = ?1");
    let values = subjects
        .each_ref()
        .map(|subject| direct.query_row(&read, [subject], |row| row.get::<_, Value>(0)).unwrap());
    let between = Value::Text("between".to_owned());
    if matches!(values[0], Value::Text(_)) {
        direct.execute(&write, params![subjects[0], between]).unwrap();
    }
    direct.execute(&write, params![subjects[1], values[0]]).unwrap();
    direct.execute(&write, params![subjects[0], values[1]]).unwrap();
}

/// Nothing that shows a person does, and no answer is an ordinary one.
fn assert_nobody_is_shown(app: &TestApp, what: &str) {
    let search = json!({"email": "ada@example.com"});
    let answers = [
        app.get("/customers/ada"),
        app.get("/customers/grace"),
        app.get("/customers?limit=10"),
        app.post("/customers/search", &search),
        app.update("ada", &json!({"email": "ada@example.org"})),
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.problem()), (500, "internal"), "{what}: {}", answer.text);
        for value in ["Ada", "Grace", "example.com"] {
            assert!(!answer.text.contains(value), "{what}: {}", answer.text);
        }
    }
}

#[test]
fn rows_of_customers_that_were_swapped_by_hand_are_never_served_as_each_others() {
    let (app, direct) = two();
    let subjects = subjects(&direct);
    for (table, column) in [
        ("customer_versions", "data"),
        ("customers", "key_wrapped"),
        ("customers", "customer_id"),
        ("customers", "latest_verification"),
    ] {
        swap(&direct, &subjects, table, column);
        assert_nobody_is_shown(&app, column);
        swap(&direct, &subjects, table, column);
        for id in ["ada", "grace"] {
            assert_eq!(app.get(&format!("/customers/{id}")).expect(200).json["customer_id"], id);
        }
    }
}

#[test]
fn a_status_is_never_that_of_another_customers_verification() {
    let (app, direct) = two();
    let subjects = subjects(&direct);
    swap(&direct, &subjects, "customers", "latest_verification");
    for id in ["ada", "grace"] {
        assert_eq!(app.get(&format!("/customers/{id}/kyc-status")).expect(500).problem(), "internal");
    }
    swap(&direct, &subjects, "customers", "latest_verification");
    assert_eq!(app.status("ada").json["status"], "verified");
}

#[test]
fn sealed_data_that_was_edited_by_hand_is_an_error_and_no_answer() {
    let (app, direct) = two();
    for (table, column) in [("customer_versions", "data"), ("customers", "key_wrapped")] {
        let rows: Vec<(i64, Vec<u8>)> = {
            let mut read = direct.prepare(&format!("SELECT row, {column} FROM {table}")).unwrap();
            read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
        };
        let write = |row: i64, bytes: &[u8]| {
            direct
                .execute(&format!("UPDATE {table} SET {column} = ?2 WHERE row = ?1"), params![row, bytes])
                .unwrap();
        };
        for (row, bytes) in &rows {
            let mut edited = bytes.clone();
            *edited.last_mut().unwrap() ^= 1;
            write(*row, &edited);
        }
        assert_nobody_is_shown(&app, column);
        for (row, bytes) in &rows {
            write(*row, bytes);
        }
        app.get("/customers/ada").expect(200);
    }
}
