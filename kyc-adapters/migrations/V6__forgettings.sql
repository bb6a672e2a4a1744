-- What providers are still to forget of people who were erased here. The provider's own ids lie sealed under a key of
-- the row's own, and nothing else of the person is here.
CREATE TABLE forgettings (
    verification       BLOB    NOT NULL PRIMARY KEY CHECK (length(verification) = 16),
    subject            BLOB    NOT NULL CHECK (length(subject) = 16),
    provider           TEXT    NOT NULL
                       CHECK (length(provider) BETWEEN 1 AND 32 AND provider NOT GLOB '*[^a-z0-9_-]*'),
    key_master_version INTEGER NOT NULL CHECK (key_master_version BETWEEN 0 AND 4294967295),
    key_wrapped        BLOB    NOT NULL,
    progress           BLOB,
    erased_at          INTEGER NOT NULL,
    failures           INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    due_at             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX forgettings_due ON forgettings (due_at);
