-- Files that show a document or the person, in chunks that the core has sealed.
--
-- Of a file the kind, the size and the time lie here in the clear; its SHA-256 is sealed, since who has a file could
-- tell by it that somebody sent the same one. Chunks come before the changeset that makes a file of them: until then
-- the file is an upload, and what stays one is swept.

CREATE TABLE documents (
    row        INTEGER PRIMARY KEY,
    id         BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    subject    BLOB    NOT NULL REFERENCES customers (subject),
    side       TEXT    NOT NULL CHECK (side IN ('front', 'back', 'selfie', 'proof_of_address')),
    media_type TEXT    NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp', 'application/pdf')),
    size       INTEGER NOT NULL CHECK (size >= 1),
    digest     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX documents_by_subject ON documents (subject, id);

CREATE TABLE uploads (
    document BLOB    NOT NULL PRIMARY KEY CHECK (length(document) = 16),
    subject  BLOB    NOT NULL REFERENCES customers (subject),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The job that sweeps, and what ends with a customer.
CREATE INDEX uploads_by_time ON uploads (at, document);
CREATE INDEX uploads_by_subject ON uploads (subject, document);

-- Of a file in `documents` or in `uploads`. It refers to neither: a chunk is the same before and after, so that
-- naming a file writes none of its chunks again.
CREATE TABLE document_chunks (
    row      INTEGER PRIMARY KEY,
    document BLOB    NOT NULL CHECK (length(document) = 16),
    position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 4294967295),
    data     BLOB    NOT NULL,
    UNIQUE (document, position)
) STRICT;
