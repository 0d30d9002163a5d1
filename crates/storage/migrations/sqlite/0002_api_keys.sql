-- API keys: who may call the service, and as what. Times are milliseconds since 1970-01-01 UTC.

-- Counts up with every commit that changes a key, so that a server can look for changes cheaply.
ALTER TABLE shops ADD COLUMN api_keys_revision INTEGER NOT NULL DEFAULT 0;

-- Rows stay after a key was revoked or has expired: its id is in logs and must not name another.
CREATE TABLE api_keys (
    shop_id       INTEGER NOT NULL,
    id            TEXT    NOT NULL, -- in logs and in the key itself; no secret
    name          TEXT    NOT NULL, -- what the operator calls it
    roles         TEXT    NOT NULL, -- names, a space between
    -- SHA-256 of the secret, which is 256 random bits: nobody can try them all, so that a slow
    -- hash, as passwords need it, would only cost.
    secret_sha256 BLOB    NOT NULL,
    created_ms    INTEGER NOT NULL,
    expires_ms    INTEGER,
    revoked_ms    INTEGER,
    PRIMARY KEY (shop_id, id)
) STRICT, WITHOUT ROWID;
