-- Customers, their versions and verifications, counters, API keys and the audit chain.
--
-- * No column holds plaintext personal data: `data`, `progress`, `link` and `answer` are sealed by the core.
-- * Times are nanoseconds since 1970-01-01T00:00:00Z, days are ISO 8601 text in UTC, ids are the 16 bytes of
--   a UUID of version 7.
-- * The CHECKs mirror the states of kyc-core: what its types can't say, a row can't hold. Words that grow
--   with the program (actions, discrepancy codes, kinds of fingerprints) are left to its types, since a CHECK
--   can only be changed by writing the whole table anew.
-- * No foreign key is deferred: a deferred one would be checked at COMMIT, and there one bad changeset
--   would fail all that share the transaction.
-- * Wide rows lie in rowid tables, where they fill pages without overflowing; narrow ones are WITHOUT ROWID.
--   Ids rise with time, so that inserts append.

CREATE TABLE customers (
    row                 INTEGER PRIMARY KEY,
    subject             BLOB    NOT NULL UNIQUE CHECK (length(subject) = 16),
    customer_id         TEXT    NOT NULL UNIQUE CHECK (length(customer_id) BETWEEN 1 AND 64),
    status              TEXT    NOT NULL,
    stage               TEXT,
    valid_until         INTEGER,
    final               INTEGER NOT NULL,
    version             INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    revision            INTEGER NOT NULL CHECK (revision >= 1),
    key_master_version  INTEGER NOT NULL CHECK (key_master_version BETWEEN 0 AND 4294967295),
    key_wrapped         BLOB    NOT NULL,
    key_messages        INTEGER NOT NULL CHECK (key_messages BETWEEN 0 AND 4294967295),
    latest_verification BLOB    NOT NULL CHECK (length(latest_verification) = 16),
    registered_at       INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    decided_at          INTEGER,
    CHECK (CASE status
        WHEN 'pending' THEN
            stage IS NOT NULL AND stage IN ('queued', 'with_provider', 'awaiting_customer', 'in_review')
            AND valid_until IS NULL AND final = 0
        WHEN 'verified' THEN stage IS NULL AND final = 0
        WHEN 'rejected' THEN stage IS NULL AND valid_until IS NULL AND final IN (0, 1)
        ELSE 0
    END)
) STRICT;

-- The lists, newest first, by each filter. A stage implies the status, so the pair needs no index.
CREATE INDEX customers_by_status ON customers (status, subject);
CREATE INDEX customers_by_stage ON customers (stage, subject) WHERE stage IS NOT NULL;
-- The job that starts the next verification when a decision runs out.
CREATE INDEX customers_by_expiry ON customers (valid_until) WHERE valid_until IS NOT NULL;

CREATE TABLE customer_versions (
    row     INTEGER PRIMARY KEY,
    subject BLOB    NOT NULL REFERENCES customers (subject),
    version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    data    BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    UNIQUE (subject, version)
) STRICT;

-- The evidence of what was verified.
CREATE TRIGGER customer_versions_are_not_overwritten BEFORE UPDATE ON customer_versions
BEGIN
    SELECT RAISE(ABORT, 'a version is never overwritten');
END;

CREATE TABLE fingerprints (
    subject     BLOB    NOT NULL REFERENCES customers (subject),
    kind        TEXT    NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 0 AND 4294967295),
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (subject, kind, key_version, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX fingerprints_by_digest ON fingerprints (digest, kind, key_version, subject);

CREATE TABLE verifications (
    row           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject       BLOB    NOT NULL,
    version       INTEGER NOT NULL,
    provider      TEXT    NOT NULL CHECK (length(provider) BETWEEN 1 AND 32 AND provider NOT GLOB '*[^a-z0-9_-]*'),
    cause         TEXT    NOT NULL CHECK (cause IN ('registration', 'update', 'request', 'expiry')),
    state         TEXT    NOT NULL,
    finding       TEXT,
    failures      INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    scheduled_for INTEGER NOT NULL,
    due_at        INTEGER,
    progress      BLOB,
    link          BLOB,
    -- One a line: code, field, severity, provider and the provider's code, with spaces between. Held here
    -- and not in a table, so that a read of a status is one statement.
    discrepancies TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    submitted_at  INTEGER,
    completed_at  INTEGER,
    -- The fencing token only rises; the lease ends when its time comes or a worker writes.
    lease_token   INTEGER NOT NULL DEFAULT 0 CHECK (lease_token >= 0),
    lease_until   INTEGER,
    FOREIGN KEY (subject, version) REFERENCES customer_versions (subject, version),
    CHECK (CASE state
        WHEN 'queued' THEN due_at IS NOT NULL AND submitted_at IS NULL AND completed_at IS NULL
        WHEN 'submitted' THEN due_at IS NOT NULL AND submitted_at IS NOT NULL AND completed_at IS NULL
        WHEN 'completed' THEN due_at IS NULL AND completed_at IS NOT NULL
        WHEN 'failed' THEN due_at IS NULL AND completed_at IS NOT NULL
        WHEN 'superseded' THEN due_at IS NULL AND completed_at IS NOT NULL
        ELSE 0
    END),
    CHECK (CASE state
        WHEN 'completed' THEN finding IS NOT NULL AND finding IN ('clear', 'consider', 'unusable')
        ELSE finding IS NULL
    END),
    CHECK (completed_at IS NULL OR (link IS NULL AND lease_until IS NULL))
) STRICT;

CREATE INDEX verifications_by_subject ON verifications (subject, id);
CREATE INDEX verifications_due ON verifications (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE answers (
    row          INTEGER PRIMARY KEY,
    verification BLOB    NOT NULL UNIQUE REFERENCES verifications (id),
    answer       BLOB    NOT NULL,
    at           INTEGER NOT NULL
) STRICT;

CREATE TABLE counters (
    day    TEXT    NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    kind   TEXT    NOT NULL,
    -- The status, the discrepancy's code, or who decided.
    word   TEXT    NOT NULL,
    bucket INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    PRIMARY KEY (day, kind, word, bucket),
    CHECK (CASE kind
        WHEN 'status' THEN word IN ('pending', 'verified', 'rejected') AND bucket = 0
        WHEN 'discrepancy' THEN length(word) BETWEEN 1 AND 64 AND bucket = 0
        WHEN 'decision' THEN word IN ('automatic', 'manual') AND bucket BETWEEN 0 AND 65535
        ELSE 0
    END)
) STRICT, WITHOUT ROWID;

-- Of a secret only the digest lies here. Keys are never removed, so that an event can be traced to one.
CREATE TABLE api_keys (
    row               INTEGER PRIMARY KEY,
    id                BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    name              TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^A-Za-z0-9._@-]*'),
    subject           TEXT    NOT NULL
                      CHECK (length(subject) BETWEEN 1 AND 64 AND subject NOT GLOB '*[^A-Za-z0-9._@-]*'),
    role              TEXT    NOT NULL CHECK (role IN ('client', 'reviewer', 'auditor', 'admin')),
    digest            BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    -- Ranges with one space between; empty where the key is valid from everywhere.
    allowed_addresses TEXT    NOT NULL CHECK (allowed_addresses NOT GLOB '*[^0-9a-f:./ ]*'),
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER,
    revoked_at        INTEGER,
    last_used_at      INTEGER
) STRICT;

-- No foreign keys: the events of a person stay when the person is erased.
CREATE TABLE audit_events (
    sequence     INTEGER PRIMARY KEY CHECK (sequence >= 1),
    changeset    BLOB    NOT NULL CHECK (length(changeset) = 16),
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    subject      BLOB    CHECK (length(subject) = 16),
    verification BLOB    CHECK (length(verification) = 16),
    provider     TEXT,
    target       TEXT,
    reason       TEXT,
    from_status  TEXT,
    to_status    TEXT,
    fields       TEXT    NOT NULL,
    request_id   TEXT,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The events of one person, newest first. An entry ends with the rowid, which is the sequence.
CREATE INDEX audit_events_by_subject ON audit_events (subject) WHERE subject IS NOT NULL;

-- These stop a fault of ours; an edit by somebody else is what the chain shows.
CREATE TRIGGER audit_events_are_not_edited BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'an audit event is never edited');
END;
CREATE TRIGGER audit_events_are_not_removed BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'an audit event is never removed');
END;

-- Written and emptied again to find out whether a disk that was full takes writes again.
CREATE TABLE probe (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    filler BLOB    NOT NULL
) STRICT;
