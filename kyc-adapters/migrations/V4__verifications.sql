-- Verifications that may be asked of more than one provider, and that callbacks name in words of the provider.
--
-- The CHECK on `cause` has two words more, and so the table is written anew, with the one that refers to it.

CREATE TABLE verifications_anew (
    row           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject       BLOB    NOT NULL,
    version       INTEGER NOT NULL,
    provider      TEXT    NOT NULL CHECK (length(provider) BETWEEN 1 AND 32 AND provider NOT GLOB '*[^a-z0-9_-]*'),
    cause         TEXT    NOT NULL
                  CHECK (cause IN ('registration', 'update', 'request', 'expiry', 'document', 'second_opinion')),
    state         TEXT    NOT NULL,
    finding       TEXT,
    failures      INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    -- Whether a provider may have been told of it.
    attempted     INTEGER NOT NULL CHECK (attempted IN (0, 1)),
    scheduled_for INTEGER NOT NULL,
    due_at        INTEGER,
    progress      BLOB,
    -- A keyed digest of the provider's own id, by which its callbacks are understood.
    reference     BLOB    CHECK (length(reference) = 32),
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

-- Of those that are there nobody knows whether a call has arrived, where a worker has taken them.
INSERT INTO verifications_anew (row, id, subject, version, provider, cause, state, finding, failures, attempted,
    scheduled_for, due_at, progress, link, discrepancies, created_at, submitted_at, completed_at, lease_token,
    lease_until)
SELECT row, id, subject, version, provider, cause, state, finding, failures, lease_token > 0,
    scheduled_for, due_at, progress, link, discrepancies, created_at, submitted_at, completed_at, lease_token,
    lease_until
FROM verifications;

CREATE TABLE answers_anew (
    row          INTEGER PRIMARY KEY,
    verification BLOB    NOT NULL UNIQUE REFERENCES verifications_anew (id),
    answer       BLOB    NOT NULL,
    at           INTEGER NOT NULL
) STRICT;
INSERT INTO answers_anew (row, verification, answer, at) SELECT row, verification, answer, at FROM answers;

DROP TABLE answers;
DROP TABLE verifications;
-- The reference of the answers goes along.
ALTER TABLE verifications_anew RENAME TO verifications;
ALTER TABLE answers_anew RENAME TO answers;

CREATE INDEX verifications_by_subject ON verifications (subject, id);
CREATE INDEX verifications_due ON verifications (due_at) WHERE due_at IS NOT NULL;
-- Only what is open is looked for: who has an answer needs no callback.
CREATE INDEX verifications_by_reference ON verifications (reference)
    WHERE reference IS NOT NULL AND due_at IS NOT NULL;
