//! Rows of customers that were deleted by hand: the log tells of them, so `audit verify` and the start do too.

use kyc_tests::app::customers::ada;
use kyc_tests::process::ServerProcess;
use rusqlite::Connection;
use serde_json::json;

use super::{options, outcome};

/// What of a customer may be deleted, as the rows that go.
const DELETED: [&str; 4] = [
    "DELETE FROM customers WHERE customer_id = 'c-2'",
    "DELETE FROM customer_versions WHERE version = 2",
    "DELETE FROM verifications WHERE cause = 'registration' AND subject IN \
     (SELECT subject FROM customers WHERE customer_id = 'c-1')",
    "DELETE FROM erased_customers",
];

#[test]
fn what_was_deleted_by_hand_is_named_by_verify_and_nothing_starts() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    let client = server.client();
    for id in ["c-1", "c-2", "c-3"] {
        client.post("/customers", &ada(id, "925076473")).expecting(201);
    }
    client.settle(["c-1", "c-2", "c-3"]);
    client.put("/customers/c-1", &json!({"name": "Ada King"})).expecting(200);
    client.settle(["c-1"]);
    let erase = "/customers/c-3?reason=court_order&override_retention=true";
    assert_eq!(client.send("DELETE", erase, None).unwrap().status, 204);
    assert_eq!(server.terminate().code(), Some(0));
    assert!(outcome(&options.run(&["audit", "verify"])).is_ok(), "nothing is missing yet");

    let database = options.data().join("kyc.db");
    let whole = std::fs::read(&database).unwrap();
    for deleted in DELETED {
        let direct = Connection::open(&database).unwrap();
        direct.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        assert!(direct.execute(deleted, []).unwrap() > 0, "{deleted}");
        direct.close().unwrap();
        let said = outcome(&options.run(&["audit", "verify"])).unwrap_err();
        assert!(said.contains("of whom something is gone"), "{deleted}: {said}");
        let (status, said) = options.refused();
        assert_eq!(status.code(), Some(1), "{deleted}");
        assert!(said.contains("something of that person is gone"), "{deleted}: {said}");
        std::fs::write(&database, &whole).unwrap();
    }
    let server = ServerProcess::start(&options);
    assert_eq!(server.client().get("/customers/c-1").expecting(200)["version"], 2);
}
