-- When the bot opened new sessions at Discord's gateway, which allows 1000 a day. A row is deleted after a day.
CREATE TABLE identifies (
    application_id INTEGER NOT NULL,
    at             REAL NOT NULL,
    after_fault    INTEGER NOT NULL CHECK (after_fault IN (0, 1))
) STRICT;

CREATE INDEX identifies_by_time ON identifies (application_id, at);

-- The parts of the bot that fail again and again, until they run again.
CREATE TABLE failing_parts (
    name     TEXT PRIMARY KEY,
    error    TEXT NOT NULL,
    failures INTEGER NOT NULL,
    since    REAL NOT NULL,
    last_at  REAL NOT NULL,
    told_at  REAL
) STRICT;
