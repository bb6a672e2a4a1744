//! A value in any column of the database is found: what [`super`] searches is where a leak would be.

use std::collections::BTreeSet;
use std::path::Path;

use kyc_tests::process::ServerProcess;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::canaries::customer;
use super::options;
use super::scanner::Scanner;

/// A column of the database.
struct Column {
    table: String,
    name: String,
    kind: String,
}

impl Column {
    fn is_number(&self) -> bool {
        self.kind.to_uppercase().starts_with("INT")
    }

    /// What is planted in it: a text of its own, or a number of its own, such as a phone number is.
    fn canary(&self, index: usize) -> String {
        if self.is_number() {
            format!("{}", 447_400_000_000 + 1_000_003 * u64::try_from(index).unwrap())
        } else {
            format!("Quenby{index:03}feldt{index:03}")
        }
    }

    /// A value that fits the column: the planted one, or one that no other row has.
    fn value(&self, planted: Option<&str>, row: usize) -> Value {
        let text = planted.map_or_else(|| format!("filler-{row}"), str::to_owned);
        if self.is_number() {
            return Value::Integer(text.parse().unwrap_or(i64::try_from(1_000_000 + row).unwrap()));
        }
        if self.kind == "BLOB" { Value::Blob(text.into_bytes()) } else { Value::Text(text) }
    }
}

fn columns(database: &Connection) -> Vec<Column> {
    let sql = "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid";
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement
        .query_map([], |row| Ok(Column { table: row.get(0)?, name: row.get(1)?, kind: row.get(2)? }))
        .unwrap();
    columns.collect::<Result<_, _>>().unwrap()
}

/// Plants a canary in each column, each in a row of its own; the name and value of each.
fn plant(database: &Connection, columns: &[Column]) -> Vec<(String, String)> {
    // A trigger here keeps rows as they are, and a check keeps wrong ones out; a leak would pass both.
    database.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF;").unwrap();
    let mut planted = Vec::new();
    for (index, target) in columns.iter().enumerate() {
        let row: Vec<&Column> = columns.iter().filter(|column| column.table == target.table).collect();
        let canary = target.canary(index);
        let values = row
            .iter()
            .map(|column| column.value((column.name == target.name).then_some(canary.as_str()), index));
        let names: Vec<_> = row.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let places: Vec<_> = row.iter().map(|_| "?").collect();
        let sql =
            format!("INSERT INTO \"{}\" ({}) VALUES ({})", target.table, names.join(", "), places.join(", "));
        database.execute(&sql, params_from_iter(values)).unwrap();
        planted.push((format!("{}.{}", target.table, target.name), canary));
    }
    planted
}

/// The canaries that stand in a file of the folder.
fn found(scanner: &Scanner, folder: &Path, file: &str) -> BTreeSet<String> {
    let found = scanner.scan_folder(folder).into_iter().filter(|(path, _)| path.ends_with(file));
    found.map(|(_, finding)| finding.canary).collect()
}

#[test]
fn a_value_in_any_column_of_any_table_is_found_in_the_log_and_in_the_database() {
    let (options, _home) = options();
    let server = ServerProcess::start(&options);
    server.client().post("/customers", &customer("c")).expecting(201);
    server.client().settle(["c"]);
    assert_eq!(server.terminate().code(), Some(0));
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(options.data().join("kyc.db"), copy.path().join("kyc.db")).unwrap();

    let database = Connection::open(copy.path().join("kyc.db")).unwrap();
    let columns = columns(&database);
    for table in [
        "customers",
        "customer_versions",
        "verifications",
        "answers",
        "audit_events",
        "fingerprints",
        "documents",
        "document_chunks",
        "uploads",
        "api_keys",
    ] {
        assert!(columns.iter().any(|column| column.table == table), "{table}");
    }
    let named: Vec<(String, String)> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| (format!("{}.{}", column.table, column.name), column.canary(index)))
        .collect();
    let scanner = Scanner::of_values(named.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    assert_eq!(scanner.scan_folder(copy.path()), [], "before anything is planted");

    assert_eq!(plant(&database, &columns), named);
    let all: BTreeSet<String> = named.into_iter().map(|(name, _)| name).collect();
    assert_eq!(found(&scanner, copy.path(), "kyc.db-wal"), all, "in the write-ahead log");
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    assert_eq!(found(&scanner, copy.path(), "kyc.db"), all, "in the database");
}
