-- Customers. Callbacks and origins are what the operator has set; NULL means none.
CREATE TABLE services (
    id TEXT PRIMARY KEY,
    notify_callback TEXT,
    call_event_callback TEXT,
    origins TEXT NOT NULL DEFAULT '[]',
    created INTEGER NOT NULL
) STRICT;

-- At most two keys a service: the newest, and during a rotation the one before. HS256 needs the secret itself.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    service_id TEXT NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    key TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX api_keys_by_service ON api_keys (service_id);

-- What cc_param and resume tokens are sealed with.
CREATE TABLE server_keys (
    kid INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- One row a call, written once at its end: the record as JSON, and the columns that are searched for.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sid TEXT NOT NULL UNIQUE,
    from_service_id TEXT NOT NULL,
    from_user_id TEXT NOT NULL,
    to_service_id TEXT NOT NULL,
    to_user_id TEXT NOT NULL,
    end_time INTEGER NOT NULL,
    disconnect_reason INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;

-- Call event callbacks that are not yet answered 2xx. `due_ms` (Unix) NULL: given up.
CREATE TABLE outbox (
    sid TEXT PRIMARY KEY REFERENCES calls (sid),
    service_id TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER
) STRICT;
CREATE INDEX outbox_by_due ON outbox (due_ms) WHERE due_ms IS NOT NULL;

-- Journal of calls that are going on, so that a restart takes them up again.
CREATE TABLE live_calls (
    sid TEXT PRIMARY KEY,
    journal TEXT NOT NULL
) STRICT;
