//! ASVS 11.3.3: what is sealed, altered by hand in the database: a closed error that shows nothing, and an event.

use kyc_server::operator::Operation;
use kyc_tests::app::TestApp;
use kyc_tests::app::customers::ada;
use rusqlite::Connection;
use serde_json::json;

/// A column of a customer, and how the row is found.
const DATA: &str = "data FROM customer_versions WHERE version = 1 AND";
const KEY: &str = "key_wrapped FROM customers WHERE";

/// The database, opened beside the service by somebody who may write the file.
struct Intruder(Connection);

impl Intruder {
    fn of(app: &TestApp) -> Self {
        let database = Connection::open(app.data().join("kyc.db")).unwrap();
        database.execute_batch("DROP TRIGGER customer_versions_are_not_overwritten").unwrap();
        Self(database)
    }

    fn read(&self, column: &str, id: &str) -> Vec<u8> {
        let of = format!("SELECT {column} subject = (SELECT subject FROM customers WHERE customer_id = ?1)");
        self.0.query_row(&of, [id], |row| row.get(0)).unwrap()
    }

    fn write(&self, column: &str, id: &str, value: &[u8]) {
        let (name, rest) = column.split_once(" FROM ").unwrap();
        let (table, condition) = rest.split_once(" WHERE").unwrap();
        let sql = format!(
            "UPDATE {table} SET {name} = ?2 WHERE{condition} \
             subject = (SELECT subject FROM customers WHERE customer_id = ?1)"
        );
        assert_eq!(self.0.execute(&sql, (id, value)).unwrap(), 1);
    }
}

fn events(app: &TestApp) -> usize {
    let events = app.get("/audit-events?action=data.unreadable&customer_id=cus-1&limit=100").expect(200).json;
    events["items"].as_array().unwrap().len()
}

/// The customer is shown to nobody, each try leaves an event, and nobody else is touched.
#[track_caller]
fn closed(app: &TestApp, path: &str) {
    let before = events(app);
    let answer = app.get(path).expect(500);
    assert_eq!(answer.problem(), "internal");
    assert!(!answer.text.contains("Ada") && !answer.text.contains("925076473"), "{}", answer.text);
    assert_eq!(events(app), before + 1);
    app.get("/customers/cus-3").expect(200);
}

#[test]
fn asvs_11_3_3_what_was_altered_or_moved_is_a_closed_error_and_leaves_an_event() {
    let app = TestApp::start();
    for (id, number) in [("cus-1", "925076473"), ("cus-2", "533380006"), ("cus-3", "910239248")] {
        app.register(id, number);
    }
    let intruder = Intruder::of(&app);
    let (data, key) = (intruder.read(DATA, "cus-1"), intruder.read(KEY, "cus-1"));
    let own = |column, value: &[u8]| {
        intruder.write(column, "cus-1", value);
        closed(&app, "/customers/cus-1");
    };
    let restore = || {
        intruder.write(DATA, "cus-1", &data);
        intruder.write(KEY, "cus-1", &key);
        app.get("/customers/cus-1").expect(200);
    };
    // A bit of any byte, of which every seventeenth stands for all: the cipher's own tests flip each.
    for (column, value) in [(DATA, &data), (KEY, &key)] {
        for at in (0..value.len()).step_by(17).chain([value.len() - 1]) {
            let mut flipped = value.clone();
            flipped[at] ^= 1;
            own(column, &flipped);
        }
        own(column, &value[..value.len() - 1]);
        own(column, &[]);
        restore();
    }
    // From another customer: the data, the key, and both.
    own(DATA, &intruder.read(DATA, "cus-2"));
    own(KEY, &intruder.read(KEY, "cus-2"));
    own(DATA, &intruder.read(DATA, "cus-2"));
    restore();
    // A list and a search that would show the customer are closed as well, and so is a change.
    intruder.write(DATA, "cus-1", &intruder.read(DATA, "cus-2"));
    closed(&app, "/customers");
    app.post("/customers/search", &json!({"email": ada("cus-1", "1")["email"]})).expect(500);
    app.put("/customers/cus-1", &json!({"name": "Ada King"})).expect(500);
    // A rotation makes nothing good again.
    let words = app.operate(Operation::RotateKey { fingerprint: true }).unwrap_err();
    assert!(words.contains("2 customers were put under fingerprint key 2, and 1 were not"), "{words}");
    assert!(words.contains("cus-1"), "{words}");
    restore();
    app.operate(Operation::RotateKey { fingerprint: true }).unwrap();
}

#[test]
fn asvs_11_3_3_an_older_version_and_another_field_do_not_stand_in() {
    let app = TestApp::start();
    app.register("cus-3", "533380006");
    app.register_and_run("cus-1", "925-LINK");
    app.update("cus-1", &json!({"email": "ada@example.org"})).expect(200);
    let intruder = Intruder::of(&app);
    let second = DATA.replace("version = 1", "version = 2");
    let data = intruder.read(&second, "cus-1");
    intruder.write(&second, "cus-1", &intruder.read(DATA, "cus-1"));
    closed(&app, "/customers/cus-1");
    intruder.write(&second, "cus-1", &data);
    app.get("/customers/cus-1").expect(200);

    let link = intruder.read("link FROM verifications WHERE", "cus-1");
    let progress = intruder.read("progress FROM verifications WHERE", "cus-1");
    intruder.write("link FROM verifications WHERE", "cus-1", &progress);
    closed(&app, "/customers/cus-1/kyc-status");
    intruder.write("link FROM verifications WHERE", "cus-1", &link);
    app.get("/customers/cus-1/kyc-status").expect(200);
}
