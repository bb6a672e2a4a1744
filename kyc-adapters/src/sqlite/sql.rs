//! Every statement, in one place beside the schema (`migrations/`). A test asks `SQLite` for the plan of
//! each that looks something up: none scans a table, and none sorts.

macro_rules! customer_columns {
    () => {
        "c.subject, c.customer_id, c.status, c.stage, c.valid_until, c.final, c.version, c.revision, \
         c.key_master_version, c.key_wrapped, c.key_messages, c.latest_verification, c.registered_at, \
         c.updated_at, c.decided_at, c.relationship_ended_on, c.legal_hold"
    };
}

macro_rules! verification_columns {
    () => {
        "v.id, v.subject, v.version, v.provider, v.cause, v.state, v.finding, v.failures, v.attempted, \
         v.scheduled_for, v.due_at, v.progress, v.reference, v.link, v.discrepancies, v.created_at, \
         v.submitted_at, v.completed_at"
    };
}

/// A customer, the data of its version, and its latest verification. The joins are outer ones, so that a
/// missing row is seen as damage and not as a customer who isn't there.
macro_rules! customer_record {
    () => {
        concat!(
            "SELECT ",
            customer_columns!(),
            ", d.data, ",
            verification_columns!(),
            " FROM customers c \
             LEFT JOIN customer_versions d ON d.subject = c.subject AND d.version = c.version \
             LEFT JOIN verifications v ON v.id = c.latest_verification "
        )
    };
}

/// A verification, its customer, and the data of its version.
macro_rules! verification_record {
    () => {
        concat!(
            "SELECT ",
            verification_columns!(),
            ", ",
            customer_columns!(),
            ", d.data FROM verifications v \
             LEFT JOIN customers c ON c.subject = v.subject \
             LEFT JOIN customer_versions d ON d.subject = v.subject AND d.version = v.version "
        )
    };
}

macro_rules! event_columns {
    () => {
        "SELECT sequence, changeset, at, actor, action, subject, verification, provider, target, reason, \
         from_status, to_status, fields, request_id, hash FROM audit_events "
    };
}

macro_rules! api_key_columns {
    () => {
        "SELECT id, name, subject, role, digest, allowed_addresses, created_at, expires_at, revoked_at, \
         last_used_at FROM api_keys "
    };
}

pub(super) const CUSTOMER: &str = concat!(customer_record!(), "WHERE c.customer_id = ?1");

// The read of a status, which is asked for most: it leaves out the data.
pub(super) const STANDING: &str = concat!(
    "SELECT ",
    customer_columns!(),
    ", ",
    verification_columns!(),
    " FROM customers c LEFT JOIN verifications v ON v.id = c.latest_verification \
     WHERE c.customer_id = ?1"
);

// `?1` is the last subject of the page before, or a value above every subject.
pub(super) const CUSTOMERS: &str =
    concat!(customer_record!(), "WHERE c.subject < ?1 ORDER BY c.subject DESC LIMIT ?2");
pub(super) const CUSTOMERS_BY_STATUS: &str =
    concat!(customer_record!(), "WHERE c.status = ?3 AND c.subject < ?1 ORDER BY c.subject DESC LIMIT ?2");
pub(super) const CUSTOMERS_BY_STAGE: &str =
    concat!(customer_record!(), "WHERE c.stage = ?3 AND c.subject < ?1 ORDER BY c.subject DESC LIMIT ?2");

pub(super) const SUBJECTS_BY_FINGERPRINT: &str = "\
     SELECT subject FROM fingerprints WHERE digest = ?1 AND kind = ?2 AND key_version = ?3 \
     ORDER BY subject DESC LIMIT ?4";

pub(super) const CUSTOMER_BY_SUBJECT: &str = concat!(customer_record!(), "WHERE c.subject = ?1");

// Everybody may have one fingerprint, so the limit ends the walk of the index, which skips one entry at most.
pub(super) const SHARING: &str = "\
     SELECT f.kind, c.subject, c.customer_id, c.status, c.stage, c.valid_until, c.final \
     FROM fingerprints f CROSS JOIN customers c ON c.subject = f.subject \
     WHERE f.digest = ?1 AND f.kind = ?2 AND f.key_version = ?3 AND f.subject <> ?4 \
     ORDER BY f.subject DESC LIMIT ?5";

pub(super) const EXPIRED_CUSTOMERS: &str =
    "SELECT customer_id FROM customers WHERE valid_until <= ?1 ORDER BY valid_until LIMIT ?2";

pub(super) const VERIFICATION: &str = concat!(verification_record!(), "WHERE v.id = ?1");

pub(super) const VERIFICATION_BY_REFERENCE: &str =
    concat!(verification_record!(), "WHERE v.reference = ?1 AND v.due_at IS NOT NULL LIMIT 1");

pub(super) const VERIFICATIONS: &str = concat!(
    "SELECT ",
    verification_columns!(),
    " FROM verifications v WHERE v.subject = ?1 ORDER BY v.id DESC"
);

pub(super) const ANSWER: &str = "SELECT answer FROM answers WHERE verification = ?1";

// The bound, below every time, makes it a search of the index for its first entry.
pub(super) const NEXT_DUE: &str =
    "SELECT due_at FROM verifications WHERE due_at >= -9223372036854775808 ORDER BY due_at LIMIT 1";

pub(super) const DUE: &str = concat!(
    verification_record!(),
    "WHERE v.due_at <= ?1 AND (v.lease_until IS NULL OR v.lease_until <= ?1) ORDER BY v.due_at LIMIT ?2"
);

pub(super) const COUNTS: &str = "\
     SELECT day, kind, word, bucket, value FROM counters WHERE day BETWEEN ?1 AND ?2 \
     ORDER BY day, kind, word, bucket";

pub(super) const AUDIT_EVENTS: &str =
    concat!(event_columns!(), "WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");

// `?1` is the last sequence that fits.
pub(super) const AUDIT_EVENTS_BEFORE: &str =
    concat!(event_columns!(), "WHERE sequence <= ?1 ORDER BY sequence DESC LIMIT ?2");
pub(super) const AUDIT_EVENTS_OF: &str =
    concat!(event_columns!(), "WHERE subject = ?3 AND sequence <= ?1 ORDER BY sequence DESC LIMIT ?2");

pub(super) const CUSTOMER_ID: &str = "SELECT subject, customer_id FROM customers WHERE subject = ?1";

pub(super) const API_KEY_BY_DIGEST: &str = concat!(api_key_columns!(), "WHERE digest = ?1");

// The bound, below every id, makes it a walk of the index.
pub(super) const API_KEYS: &str = concat!(api_key_columns!(), "WHERE id >= x'' ORDER BY id DESC");

pub(super) const RECORDED: &str = "\
     SELECT i.body, i.subject, i.answer, i.api_key, i.expires_at, c.key_master_version, c.key_wrapped \
     FROM idempotency i LEFT JOIN customers c ON c.subject = i.subject WHERE i.key = ?1";

pub(super) const TAKEN: &str = "SELECT row FROM idempotency WHERE key = ?1 AND expires_at > ?2";

// The bound, below every time, makes it a search of the index for its first entry.
pub(super) const NEXT_EXPIRY: &str =
    "SELECT expires_at FROM idempotency WHERE expires_at >= -9223372036854775808 ORDER BY expires_at LIMIT 1";

pub(super) const EXPIRED_RECORDS: &str =
    "SELECT row FROM idempotency WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";

// These two scan, and so are for no request. What is kept of erased people under a fingerprint key does not
// belong here: it can't be made again, so that no rotation moves it.
pub(super) const MASTER_KEY_COUNTS: &str = "\
     SELECT version, sum(count) FROM (\
     SELECT key_master_version AS version, count(*) AS count FROM customers GROUP BY 1 UNION ALL \
     SELECT key_master_version, count(*) FROM forgettings GROUP BY 1) GROUP BY version ORDER BY version";
pub(super) const FINGERPRINT_KEY_COUNTS: &str = "\
     SELECT key_version, count(DISTINCT subject) FROM fingerprints GROUP BY key_version ORDER BY 1";

pub(super) const ERASED_KEY_COUNTS: &str =
    "SELECT key_version, count(*) FROM erased_customers GROUP BY key_version ORDER BY 1";

// A person of whom the log tells, who is neither there nor erased; whose versions are not as many as there were; one
// of whose verifications is gone; or a chunk of one of whose files. For no request: it looks at everybody.
pub(super) const MISSING: &str = "\
     SELECT subject FROM (SELECT DISTINCT subject FROM audit_events WHERE subject IS NOT NULL) a \
     WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.subject = a.subject) \
     AND NOT EXISTS (SELECT 1 FROM erased_customers e WHERE e.subject = a.subject) \
     UNION ALL \
     SELECT subject FROM customers c \
     WHERE (SELECT count(*) FROM customer_versions v WHERE v.subject = c.subject) <> c.version \
     UNION ALL \
     SELECT subject FROM audit_events a WHERE verification IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM verifications v WHERE v.id = a.verification) \
     AND NOT EXISTS (SELECT 1 FROM erased_customers e WHERE e.subject = a.subject) \
     UNION ALL \
     SELECT subject FROM documents d \
     WHERE (SELECT count(*) FROM document_chunks k WHERE k.document = d.id) <> (d.size + 65535) / 65536 \
     LIMIT 1";

pub(super) const FINGERPRINTED_OTHERWISE: &str =
    "SELECT subject FROM fingerprints WHERE subject = ?1 AND key_version <> ?2 LIMIT 1";

pub(super) const AUDIT_HEAD: &str =
    "SELECT sequence, hash FROM audit_events WHERE sequence > 0 ORDER BY sequence DESC LIMIT 1";

pub(super) const REVISION: &str = "SELECT revision FROM customers WHERE subject = ?1";

// A token of 0 was never given to anybody.
pub(super) const LEASE_TOKEN: &str =
    "SELECT lease_token FROM verifications WHERE id = ?1 AND lease_token > 0";

// Whoever puts a verification ends its lease, so one that has a lease was taken since.
pub(super) const IS_UNCLAIMED: &str =
    "SELECT subject FROM verifications WHERE id = ?1 AND lease_until IS NULL";

// Parameters 1 to 3 say who the customer is; both statements number the rest alike.
pub(super) const INSERT_CUSTOMER: &str = "\
     INSERT INTO customers (subject, customer_id, registered_at, status, stage, valid_until, \
     final, version, revision, key_master_version, key_wrapped, key_messages, latest_verification, \
     updated_at, decided_at, relationship_ended_on, legal_hold) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) \
     ON CONFLICT (customer_id) DO NOTHING";

pub(super) const UPDATE_CUSTOMER: &str = "\
     UPDATE customers SET status = ?4, stage = ?5, valid_until = ?6, final = ?7, version = ?8, \
     revision = ?9, key_master_version = ?10, key_wrapped = ?11, key_messages = ?12, \
     latest_verification = ?13, updated_at = ?14, decided_at = ?15, \
     relationship_ended_on = ?16, legal_hold = ?17 \
     WHERE subject = ?1 AND customer_id = ?2 AND registered_at = ?3";

pub(super) const INSERT_VERSION: &str =
    "INSERT INTO customer_versions (subject, version, data, at) VALUES (?1, ?2, ?3, ?4)";

pub(super) const HAS_FINGERPRINTS: &str = "SELECT 1 FROM fingerprints WHERE subject = ?1 LIMIT 1";

pub(super) const DELETE_FINGERPRINTS: &str = "DELETE FROM fingerprints WHERE subject = ?1";

pub(super) const INSERT_FINGERPRINT: &str = "\
     INSERT INTO fingerprints (subject, kind, key_version, digest) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT DO NOTHING";

// A lease ends with the write, and its token stays. A verification never moves to another customer.
pub(super) const PUT_VERIFICATION: &str = "\
     INSERT INTO verifications (id, subject, version, provider, cause, state, finding, failures, \
     scheduled_for, due_at, progress, link, discrepancies, created_at, submitted_at, completed_at, attempted, \
     reference) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, provider = excluded.provider, \
     cause = excluded.cause, state = excluded.state, finding = excluded.finding, \
     failures = excluded.failures, scheduled_for = excluded.scheduled_for, due_at = excluded.due_at, \
     progress = excluded.progress, link = excluded.link, discrepancies = excluded.discrepancies, \
     created_at = excluded.created_at, submitted_at = excluded.submitted_at, \
     completed_at = excluded.completed_at, attempted = excluded.attempted, \
     reference = excluded.reference, lease_until = NULL \
     WHERE subject = excluded.subject";

pub(super) const PUT_ANSWER: &str = "INSERT INTO answers (verification, answer, at) VALUES (?1, ?2, ?3) \
     ON CONFLICT (verification) DO NOTHING";

pub(super) const ADD_COUNT: &str = "\
     INSERT INTO counters (day, kind, word, bucket, value) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT (day, kind, word, bucket) DO UPDATE SET value = value + excluded.value";

pub(super) const INSERT_API_KEY: &str = "\
     INSERT INTO api_keys (id, name, subject, role, digest, allowed_addresses, created_at, expires_at, \
     revoked_at, last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

pub(super) const REVOKE_API_KEY: &str =
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1";

pub(super) const TOUCH_API_KEY: &str =
    "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1";

pub(super) const APPEND_EVENT: &str = "\
     INSERT INTO audit_events (sequence, changeset, at, actor, action, subject, verification, provider, \
     target, reason, from_status, to_status, fields, request_id, hash) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

// What has expired gives way; that nothing else is there was looked up before.
pub(super) const RECORD: &str = "\
     INSERT INTO idempotency (key, body, subject, answer, api_key, expires_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
     ON CONFLICT (key) DO UPDATE SET body = excluded.body, subject = excluded.subject, \
     answer = excluded.answer, api_key = excluded.api_key, expires_at = excluded.expires_at \
     WHERE expires_at <= ?7";

pub(super) const DELETE_RECORD: &str = "DELETE FROM idempotency WHERE row = ?1";

pub(super) const VERSIONS: &str =
    "SELECT version, data, at FROM customer_versions WHERE subject = ?1 ORDER BY version";

// `?2` and `?3` are the place behind which the list goes on.
pub(super) const RETENTION_DUE: &str = "\
     SELECT relationship_ended_on, subject, customer_id FROM customers \
     WHERE relationship_ended_on <= ?1 AND legal_hold IS NULL AND (relationship_ended_on, subject) > (?2, ?3) \
     ORDER BY relationship_ended_on, subject LIMIT ?4";

pub(super) const ERASURE: &str = "\
     SELECT digest, key_version, subject, at, reason FROM erased_customers \
     WHERE digest = ?1 AND key_version = ?2";

pub(super) const ERASURES: &str = "\
     SELECT digest, key_version, subject, at, reason FROM erased_customers \
     WHERE subject > ?1 ORDER BY subject LIMIT ?2";

pub(super) const IS_ERASED: &str = "SELECT 1 FROM erased_customers WHERE digest = ?1 AND key_version = ?2";

pub(super) const REMEMBER_ERASURE: &str = "\
     INSERT INTO erased_customers (digest, key_version, subject, at, reason) VALUES (?1, ?2, ?3, ?4, ?5) \
     ON CONFLICT DO NOTHING";

pub(super) const VERIFICATION_IDS: &str = "SELECT id FROM verifications WHERE subject = ?1";
pub(super) const DELETE_ANSWER: &str = "DELETE FROM answers WHERE verification = ?1";
pub(super) const DELETE_VERIFICATIONS: &str = "DELETE FROM verifications WHERE subject = ?1";
pub(super) const DELETE_VERSIONS: &str = "DELETE FROM customer_versions WHERE subject = ?1";
pub(super) const DELETE_CUSTOMER: &str = "DELETE FROM customers WHERE subject = ?1";

pub(super) const DOCUMENTS: &str = "\
     SELECT subject, id, side, media_type, size, created_at, digest FROM documents \
     WHERE subject = ?1 ORDER BY id";

// Chunks of what no changeset has named are not read.
pub(super) const CHUNK: &str = "\
     SELECT k.data FROM documents d CROSS JOIN document_chunks k ON k.document = d.id \
     WHERE d.id = ?1 AND k.position = ?2";

// The bound, below every time, makes it a search of the index for its first entry.
pub(super) const OLDEST_UPLOAD: &str =
    "SELECT at FROM uploads WHERE at >= -9223372036854775808 ORDER BY at LIMIT 1";
pub(super) const OLD_UPLOADS: &str = "SELECT document FROM uploads WHERE at <= ?1 ORDER BY at LIMIT ?2";

pub(super) const IS_DOCUMENT: &str = "SELECT 1 FROM documents WHERE id = ?1";
pub(super) const UPLOADER: &str = "SELECT subject FROM uploads WHERE document = ?1";
pub(super) const CHUNK_COUNT: &str =
    "SELECT count(*), coalesce(max(position), -1) FROM document_chunks WHERE document = ?1";

pub(super) const BEGIN_UPLOAD: &str =
    "INSERT INTO uploads (document, subject, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
pub(super) const PUT_CHUNK: &str = "\
     INSERT INTO document_chunks (document, position, data) VALUES (?1, ?2, ?3) \
     ON CONFLICT (document, position) DO UPDATE SET data = excluded.data";
pub(super) const INSERT_DOCUMENT: &str = "\
     INSERT INTO documents (id, subject, side, media_type, size, digest, created_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) const END_UPLOAD: &str = "DELETE FROM uploads WHERE document = ?1";
pub(super) const DELETE_DOCUMENT: &str = "DELETE FROM documents WHERE id = ?1 AND subject = ?2";
pub(super) const DELETE_CHUNKS: &str = "DELETE FROM document_chunks WHERE document = ?1";
pub(super) const DOCUMENT_IDS: &str = "SELECT id FROM documents WHERE subject = ?1";
pub(super) const UPLOAD_IDS: &str = "SELECT document FROM uploads WHERE subject = ?1";
pub(super) const DELETE_DOCUMENTS: &str = "DELETE FROM documents WHERE subject = ?1";
pub(super) const DELETE_UPLOADS: &str = "DELETE FROM uploads WHERE subject = ?1";

pub(super) const LEASE: &str = "\
     UPDATE verifications SET lease_token = lease_token + 1, lease_until = ?2, attempted = 1 WHERE id = ?1 \
     RETURNING lease_token";

macro_rules! forgetting_columns {
    () => {
        "SELECT verification, subject, provider, key_master_version, key_wrapped, progress, erased_at, failures, \
         due_at FROM forgettings "
    };
}

pub(super) const DUE_FORGETTINGS: &str =
    concat!(forgetting_columns!(), "WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");

pub(super) const FORGETTINGS: &str =
    concat!(forgetting_columns!(), "WHERE verification > ?1 ORDER BY verification LIMIT ?2");

pub(super) const PUT_FORGETTING: &str = "\
     INSERT INTO forgettings (verification, subject, provider, key_master_version, key_wrapped, progress, erased_at, \
     failures, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
     ON CONFLICT (verification) DO UPDATE SET subject = excluded.subject, provider = excluded.provider, \
     key_master_version = excluded.key_master_version, key_wrapped = excluded.key_wrapped, \
     progress = excluded.progress, erased_at = excluded.erased_at, failures = excluded.failures, \
     due_at = excluded.due_at";

pub(super) const DELETE_FORGETTING: &str = "DELETE FROM forgettings WHERE verification = ?1";

#[cfg(test)]
mod tests;
