//! What the disk and `SQLite` give: the rows of a registration, written by hand in a loop.
//!
//! One customer is registered through the service, and its rows are read back; what is measured writes them
//! again under new ids, into the same schema with the writer's own settings. So the rows are always those that
//! a registration of today writes.

use std::path::Path;
use std::time::{Duration, Instant};

use kyc_adapters::clock::SystemClock;
use kyc_adapters::entropy::SystemEntropy;
use kyc_core::domain::ids::{SubjectId, VerificationId};
use kyc_core::ports::{Clock, Entropy};
use kyc_server::service::Service;
use kyc_server::wire::Wired;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

use crate::Result;
use crate::arms::{FILL, data_folder, rate};
use crate::register::{ID_PREFIX, fill};
use crate::server::wired;

/// The tables that a registration writes to, parents first.
const TABLES: [&str; 6] =
    ["customers", "customer_versions", "fingerprints", "verifications", "counters", "audit_events"];

/// As `kyc-adapters/src/sqlite/open.rs` has them; and the log is written back at the length at which the store
/// does it, though here within the commit.
const PRAGMAS: &str = "PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA secure_delete = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA trusted_schema = OFF;
     PRAGMA cell_size_check = ON;
     PRAGMA cache_size = -65536;
     PRAGMA wal_autocheckpoint = 4096;
     PRAGMA journal_size_limit = 67108864;";

/// What a column is given.
enum Slot {
    /// What the registration wrote.
    Kept(Value),
    Null,
    Subject,
    CustomerId,
    Verification,
    Changeset,
    Sequence,
    /// Thirty-two bytes that look random, as fingerprints and hashes do.
    Random,
}

/// A row to write again and again.
struct Row {
    sql: String,
    slots: Vec<Slot>,
}

/// A database that is written to by hand.
pub(crate) struct Raw {
    connection: Connection,
    rows: Vec<Row>,
    written: u32,
    _folder: TempDir,
}

impl Raw {
    /// Makes the database, its schema and the rows.
    pub(crate) fn start(within: &Path) -> Result<Self> {
        let folder = data_folder(within)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let Wired { parts, store, .. } = wired(folder.path()).await?;
            fill(&Service::of(parts).kyc, 1).await?;
            store.close().await;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })?;
        let connection = Connection::open(folder.path().join("kyc.db"))?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch(PRAGMAS)?;
        connection.set_prepared_statement_cache_capacity(64);
        let rows = TABLES.map(|table| rows_of(&connection, table));
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let mut raw = Self { connection, rows, written: 1, _folder: folder };
        while u64::from(raw.written) < FILL {
            raw.transaction(512)?;
        }
        Ok(raw)
    }

    /// Writes for so long, the rows of `batch` registrations to a commit, and says how many a second.
    pub(crate) fn write(&mut self, batch: u32, window: Duration) -> Result<f64> {
        let begun = Instant::now();
        let before = self.written;
        while begun.elapsed() < window {
            self.transaction(batch)?;
        }
        Ok(rate(u64::from(self.written - before), begun.elapsed()))
    }

    fn transaction(&mut self, batch: u32) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..batch {
            self.written += 1;
            self.registration()?;
        }
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    fn registration(&self) -> Result<()> {
        let now = SystemClock.now();
        let entropy = SystemEntropy::new();
        let mut random = [0; 10];
        entropy.fill(&mut random)?;
        let subject = SubjectId::new(now, random).to_bytes();
        let verification = VerificationId::new(now, random).to_bytes();
        for row in &self.rows {
            let values = row.slots.iter().map(|slot| {
                Ok(match slot {
                    Slot::Kept(value) => value.clone(),
                    Slot::Null => Value::Null,
                    Slot::Subject => Value::Blob(subject.to_vec()),
                    Slot::CustomerId => Value::Text(format!("{ID_PREFIX}{:016}", self.written)),
                    Slot::Verification | Slot::Changeset => Value::Blob(verification.to_vec()),
                    Slot::Sequence => Value::Integer(i64::from(self.written)),
                    Slot::Random => {
                        let mut bytes = vec![0; 32];
                        entropy.fill(&mut bytes)?;
                        Value::Blob(bytes)
                    }
                })
            });
            let values = values.collect::<Result<Vec<_>>>()?;
            self.connection.prepare_cached(&row.sql)?.execute(params_from_iter(values))?;
        }
        Ok(())
    }
}

/// The rows of the one registration in a table.
fn rows_of(connection: &Connection, table: &str) -> Result<Vec<Row>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let marks = vec!["?"; columns.len()].join(", ");
    let counts_up = if table == "counters" {
        " ON CONFLICT (day, kind, word, bucket) DO UPDATE SET value = value + excluded.value"
    } else {
        ""
    };
    let sql = format!("INSERT INTO {table} ({}) VALUES ({marks}){counts_up}", columns.join(", "));
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let slots = columns.iter().enumerate().map(|(index, column)| {
            Ok(match column.as_str() {
                "row" => Slot::Null,
                "subject" => Slot::Subject,
                "customer_id" => Slot::CustomerId,
                "id" | "latest_verification" | "verification" => Slot::Verification,
                "changeset" => Slot::Changeset,
                "sequence" => Slot::Sequence,
                "digest" | "hash" => Slot::Random,
                _ => Slot::Kept(row.get(index)?),
            })
        });
        rows.push(Row { sql: sql.clone(), slots: slots.collect::<Result<_>>()? });
    }
    if rows.is_empty() { Err(format!("a registration wrote nothing to {table}").into()) } else { Ok(rows) }
}
