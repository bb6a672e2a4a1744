//! What a data folder holds, read from a copy of it, since the folder itself is the next process's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kyc_adapters::sandbox::SubmissionCount;
use kyc_adapters::sqlite::{SqliteConfig, SqliteStore};
use kyc_core::domain::audit::ChainWalk;
use kyc_core::domain::ids::VerificationId;
use kyc_core::ports::store::AuditReads;
use rusqlite::Connection;
use tempfile::TempDir;

use super::load::OUTCOMES;

/// Rows without the rows that came with them in one changeset: each of these counts to zero.
const HALVES: [&str; 9] = [
    "customers c WHERE NOT EXISTS (SELECT 1 FROM customer_versions v WHERE (v.subject, v.version) = (c.subject, c.version))",
    "customers c WHERE NOT EXISTS
        (SELECT 1 FROM verifications v WHERE (v.subject, v.id) = (c.subject, c.latest_verification))",
    "customers c WHERE NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.subject = c.subject)",
    "customers c WHERE 1 <> (SELECT count(*) FROM audit_events a
        WHERE a.subject = c.subject AND a.action = 'customer.registered')",
    "customer_versions v WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.subject = v.subject)",
    "verifications v WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.subject = v.subject)",
    "audit_events a WHERE a.subject IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM customers c WHERE c.subject = a.subject)",
    // A verification that has ended has the event of its end, and a pending one has none.
    "verifications v WHERE (v.completed_at IS NOT NULL) <> EXISTS
        (SELECT 1 FROM audit_events a WHERE a.verification = v.id AND a.action = 'verification.decided')",
    "(SELECT status, count(*) AS customers FROM customers GROUP BY status) c WHERE customers <>
        (SELECT sum(value) FROM counters WHERE kind = 'status' AND word = c.status)",
];

/// The copy of a folder.
pub(super) struct Kept {
    folder: TempDir,
    database: Connection,
}

impl Kept {
    /// Copies a folder that no process serves.
    pub(super) fn read(data: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(data).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
        }
        let database = Connection::open(folder.path().join("kyc.db")).unwrap();
        Self { folder, database }
    }

    fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut statement = self.database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn texts(&self, sql: &str) -> BTreeSet<String> {
        self.rows(sql).into_iter().filter_map(|mut row| row.swap_remove(0)).collect()
    }

    /// The ids of all customers.
    pub(super) fn customer_ids(&self) -> BTreeSet<String> {
        self.texts("SELECT customer_id FROM customers")
    }

    /// Nothing is half, the database is sound, and the audit chain is unbroken.
    pub(super) fn assert_whole(&self) {
        assert_eq!(self.texts("PRAGMA integrity_check"), BTreeSet::from(["ok".to_owned()]));
        for half in HALVES {
            let count = self.texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {half}"));
            assert_eq!(count, BTreeSet::from(["0".to_owned()]), "{half}");
        }
        let events = self.texts("SELECT CAST(count(*) AS TEXT) FROM audit_events");
        assert_eq!(events, BTreeSet::from([self.walk_chain().to_string()]));
    }

    /// Walks the audit chain as the store reads it; the number of its events.
    fn walk_chain(&self) -> u64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = SqliteStore::open(SqliteConfig::new(self.folder.path())).unwrap();
            let mut walk = ChainWalk::default();
            loop {
                let events = store.audit_events(walk.sequence(), 500).await.unwrap();
                if events.is_empty() {
                    store.close().await;
                    return walk.sequence();
                }
                for event in events {
                    walk.step(&event).unwrap();
                }
            }
        })
    }

    /// Every customer has one verification, which is where the document number has it end.
    pub(super) fn assert_ended(&self) {
        let rows = self.rows(
            "SELECT customer_id, status, stage, CAST((SELECT count(*) FROM verifications v WHERE v.subject = c.subject) AS TEXT)
             FROM customers c",
        );
        for row in rows {
            let [customer_id, status, stage, verifications] = &*row else { panic!("four columns") };
            let number: usize = customer_id.as_ref().unwrap().rsplit('-').next().unwrap().parse().unwrap();
            let (_, expected_status, expected_stage) = OUTCOMES[number % OUTCOMES.len()];
            let found = (status.as_deref(), stage.as_deref(), verifications.as_deref());
            assert_eq!(found, (Some(expected_status), expected_stage, Some("1")), "{customer_id:?}");
        }
    }

    /// Each verification came to the provider as one submission, and none that was not kept.
    pub(super) fn assert_submitted_once(&self, submissions: &BTreeMap<VerificationId, SubmissionCount>) {
        let hex = |id: &VerificationId| data_encoding::HEXUPPER.encode(&id.to_bytes());
        let submitted: BTreeSet<String> = submissions.keys().map(hex).collect();
        assert_eq!(submitted, self.texts("SELECT hex(id) FROM verifications"));
        let down = self.texts(
            "SELECT hex(verification) FROM audit_events WHERE action = 'verification.decided'
             AND reason LIKE '%technical.provider_unavailable%'",
        );
        for (verification, count) in submissions {
            let accepted = u32::from(!down.contains(&hex(verification)));
            assert_eq!((count.distinct, count.conflicts), (accepted, 0), "{verification} {count:?}");
        }
    }
}
