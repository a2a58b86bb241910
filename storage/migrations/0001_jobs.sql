-- Times are Unix seconds. A job's state names the step that is due; next_at says when (NULL: nothing
-- happens by itself). Clapper is the only process on this file, so a claim needs no lease.
CREATE TABLE jobs (
    id                 TEXT PRIMARY KEY CHECK (length(id) = 32),
    state              TEXT NOT NULL CHECK (state IN (
                           'received', 'queued', 'submitting', 'unconfirmed', 'undecided',
                           'generating', 'downloading', 'merging', 'delivering', 'notifying',
                           'succeeded', 'failed', 'cancelled')),
    epoch              INTEGER NOT NULL DEFAULT 0,
    attempts           INTEGER NOT NULL DEFAULT 0,
    next_at            REAL,
    created_at         REAL NOT NULL,
    updated_at         REAL NOT NULL,

    backend            TEXT NOT NULL,
    prompt             TEXT NOT NULL,
    model              TEXT,
    seconds            INTEGER NOT NULL,
    size               TEXT NOT NULL,
    fingerprint        TEXT NOT NULL,

    -- One command is one job, even when Discord sends it twice.
    interaction_id     INTEGER NOT NULL UNIQUE,
    application_id     INTEGER NOT NULL,
    user_id            INTEGER NOT NULL,
    guild_id           INTEGER,
    channel_id         INTEGER NOT NULL,
    locale             TEXT NOT NULL,
    token              TEXT,
    token_until        REAL NOT NULL,
    upload_limit       INTEGER NOT NULL,
    message_id         INTEGER,

    attachment_name    TEXT,
    attachment_size    INTEGER,
    attachment_url     TEXT,

    create_key         TEXT,
    submitted_at       REAL,
    submits            INTEGER NOT NULL DEFAULT 0,
    misses           INTEGER NOT NULL DEFAULT 0,
    remote_id          TEXT,
    generating_at      REAL,
    deadline_at        REAL,
    late               INTEGER NOT NULL DEFAULT 0,
    progress           INTEGER CHECK (progress BETWEEN 0 AND 100),

    dm_intent_at       REAL,
    failure_key        TEXT,
    failure_fields     TEXT,
    note               TEXT,

    CHECK (state IN ('received', 'failed', 'cancelled') OR message_id IS NOT NULL),
    CHECK (state NOT IN ('generating', 'downloading', 'merging', 'delivering', 'notifying',
                         'succeeded') OR remote_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX jobs_by_remote_id ON jobs (backend, remote_id) WHERE remote_id IS NOT NULL;
-- While one such create is in doubt, a listing could not tell a second one from it.
CREATE UNIQUE INDEX jobs_one_create ON jobs (backend, fingerprint)
    WHERE state IN ('submitting', 'unconfirmed');
CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX jobs_by_user ON jobs (user_id, created_at);
CREATE INDEX jobs_by_day ON jobs (created_at);
CREATE INDEX jobs_open ON jobs (user_id) WHERE state IN ('received', 'queued', 'submitting',
    'unconfirmed', 'generating', 'downloading', 'merging');

CREATE TABLE job_events (
    job_id     TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at         REAL NOT NULL,
    epoch      INTEGER NOT NULL,
    from_state TEXT,
    to_state   TEXT NOT NULL
) STRICT;

CREATE INDEX job_events_by_job ON job_events (job_id, at);

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.created_at, NEW.epoch, NULL, NEW.state);
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.updated_at, NEW.epoch, OLD.state, NEW.state);
END;

-- The file itself is videos/<job_id>.mp4 below DATA_DIR.
CREATE TABLE artifacts (
    job_id     TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    size       INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    created_at REAL NOT NULL
) STRICT;

-- Webhooks as they came: the sender repeats, and some arrive before create has returned.
CREATE TABLE inbox (
    backend     TEXT NOT NULL,
    webhook_id  TEXT NOT NULL,
    remote_id   TEXT NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (backend, webhook_id)
) STRICT;

CREATE INDEX inbox_by_remote_id ON inbox (backend, remote_id);
CREATE INDEX inbox_by_age ON inbox (received_at);
