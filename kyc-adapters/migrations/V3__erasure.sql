-- Keeping and erasing people: ends of relationships, legal holds, and what stays of who was erased.

-- A day as ISO 8601 text, so that days sort as they follow on each other.
ALTER TABLE customers ADD COLUMN relationship_ended_on TEXT
    CHECK (relationship_ended_on GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]');
-- Why the customer must not be erased, sealed by the core.
ALTER TABLE customers ADD COLUMN legal_hold BLOB;

-- The job that erases those whose time is over.
CREATE INDEX customers_by_relationship_end ON customers (relationship_ended_on, subject, customer_id)
    WHERE relationship_ended_on IS NOT NULL AND legal_hold IS NULL;

-- The digest is a keyed fingerprint of the caller's id; nothing else of the person is here.
CREATE TABLE erased_customers (
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 0 AND 4294967295),
    subject     BLOB    NOT NULL UNIQUE CHECK (length(subject) = 16),
    at          INTEGER NOT NULL,
    reason      TEXT    NOT NULL CHECK (length(reason) BETWEEN 1 AND 32),
    PRIMARY KEY (digest, key_version)
) STRICT, WITHOUT ROWID;

-- One more kind of counter. A CHECK can only be changed by writing the whole table anew, and this one has a few
-- rows a day.
CREATE TABLE counters_with_erased (
    day    TEXT    NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    kind   TEXT    NOT NULL,
    -- The status, the discrepancy's code, or who decided; empty for those who were erased.
    word   TEXT    NOT NULL,
    bucket INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    PRIMARY KEY (day, kind, word, bucket),
    CHECK (CASE kind
        WHEN 'status' THEN word IN ('pending', 'verified', 'rejected') AND bucket = 0
        WHEN 'discrepancy' THEN length(word) BETWEEN 1 AND 64 AND bucket = 0
        WHEN 'decision' THEN word IN ('automatic', 'manual') AND bucket BETWEEN 0 AND 65535
        WHEN 'erased' THEN word = '' AND bucket = 0
        ELSE 0
    END)
) STRICT, WITHOUT ROWID;
INSERT INTO counters_with_erased SELECT day, kind, word, bucket, value FROM counters;
DROP TABLE counters;
ALTER TABLE counters_with_erased RENAME TO counters;
