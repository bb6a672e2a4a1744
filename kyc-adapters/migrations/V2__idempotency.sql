-- What was done under idempotency keys, for a day.
--
-- Of a request only keyed digests lie here: `key` of who asked for what under which key, `body` of the same and
-- of what was sent. While fingerprint keys are rotated a request has an entry for each version. An answer about a
-- customer is sealed under the customer's data key; one that shows a secret is not kept, only what it was about.

CREATE TABLE idempotency (
    row        INTEGER PRIMARY KEY,
    key        BLOB    NOT NULL UNIQUE CHECK (length(key) = 32),
    body       BLOB    NOT NULL CHECK (length(body) = 32),
    subject    BLOB    REFERENCES customers (subject) ON DELETE CASCADE,
    answer     BLOB,
    api_key    BLOB    REFERENCES api_keys (id),
    expires_at INTEGER NOT NULL,
    CHECK ((subject IS NULL) = (answer IS NULL)),
    CHECK ((subject IS NULL) <> (api_key IS NULL))
) STRICT;

-- The job that removes what has expired.
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
-- What ends with a customer.
CREATE INDEX idempotency_by_subject ON idempotency (subject) WHERE subject IS NOT NULL;
