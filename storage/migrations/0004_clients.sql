-- A job may be a client's, who comes over HTTP and has no message: the table is made anew, because that
-- changes its conditions.
CREATE TABLE new_jobs (
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

    -- Who asked: a command in Discord, which is one job even when it is sent twice, ...
    interaction_id     INTEGER UNIQUE,
    application_id     INTEGER,
    user_id            INTEGER,
    guild_id           INTEGER,
    channel_id         INTEGER,
    locale             TEXT,
    token              TEXT,
    token_until        REAL,
    upload_limit       INTEGER,
    message_id         INTEGER,
    -- Whether the bot itself can edit the message once the token is dead.
    by_bot             INTEGER NOT NULL DEFAULT 1,
    -- ... or a client over HTTP, under a key of its own if it likes.
    client             TEXT,
    client_key         TEXT,
    client_digest      TEXT,

    attachment_name    TEXT,
    attachment_size    INTEGER,
    attachment_url     TEXT,
    -- The jobs whose narration, and whose finished video, this one takes over; they may be gone.
    narration_of       TEXT,
    clip_of            TEXT,

    create_key         TEXT,
    submitted_at       REAL,
    submits            INTEGER NOT NULL DEFAULT 0,
    misses             INTEGER NOT NULL DEFAULT 0,
    remote_id          TEXT,
    generating_at      REAL,
    deadline_at        REAL,
    late               INTEGER NOT NULL DEFAULT 0,
    progress           INTEGER CHECK (progress BETWEEN 0 AND 100),
    cost_usd           REAL,

    dm_intent_at       REAL,
    failure_key        TEXT,
    failure_fields     TEXT,
    note               TEXT,
    deleted_at         REAL,

    CHECK ((client IS NULL) = (interaction_id IS NOT NULL)),
    CHECK (client IS NOT NULL OR (application_id IS NOT NULL AND user_id IS NOT NULL
        AND channel_id IS NOT NULL AND locale IS NOT NULL AND token_until IS NOT NULL
        AND upload_limit IS NOT NULL)),
    CHECK (state IN ('received', 'failed', 'cancelled') OR message_id IS NOT NULL
        OR client IS NOT NULL),
    CHECK (state NOT IN ('generating', 'downloading', 'merging', 'delivering', 'notifying',
                         'succeeded') OR remote_id IS NOT NULL OR clip_of IS NOT NULL)
) STRICT;

INSERT INTO new_jobs (
    id, state, epoch, attempts, next_at, created_at, updated_at, backend, prompt, model,
    seconds, size, fingerprint, interaction_id, application_id, user_id, guild_id, channel_id,
    locale, token, token_until, upload_limit, message_id, by_bot, attachment_name, attachment_size,
    attachment_url, narration_of, clip_of, create_key, submitted_at, submits, misses, remote_id,
    generating_at, deadline_at, late, progress, cost_usd, dm_intent_at, failure_key, failure_fields,
    note, deleted_at)
SELECT
    id, state, epoch, attempts, next_at, created_at, updated_at, backend, prompt, model,
    seconds, size, fingerprint, interaction_id, application_id, user_id, guild_id, channel_id,
    locale, token, token_until, upload_limit, message_id, by_bot, attachment_name, attachment_size,
    attachment_url, narration_of, clip_of, create_key, submitted_at, submits, misses, remote_id,
    generating_at, deadline_at, late, progress, cost_usd, dm_intent_at, failure_key, failure_fields,
    note, deleted_at
FROM jobs;

DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;

CREATE UNIQUE INDEX jobs_by_remote_id ON jobs (backend, remote_id) WHERE remote_id IS NOT NULL;
-- While one such create is in doubt, a listing could not tell a second one from it.
CREATE UNIQUE INDEX jobs_one_create ON jobs (backend, fingerprint)
    WHERE state IN ('submitting', 'unconfirmed');
CREATE INDEX jobs_due ON jobs (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX jobs_by_user ON jobs (user_id, created_at);
CREATE INDEX jobs_by_day ON jobs (created_at);
CREATE INDEX jobs_open ON jobs (user_id) WHERE state IN ('received', 'queued', 'submitting',
    'unconfirmed', 'generating', 'downloading', 'merging');
CREATE INDEX jobs_by_client ON jobs (client, created_at) WHERE client IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_client_key ON jobs (client, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;

CREATE TRIGGER jobs_inserted AFTER INSERT ON jobs BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.created_at, NEW.epoch, NULL, NEW.state);
END;

CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN OLD.state <> NEW.state BEGIN
    INSERT INTO job_events (job_id, at, epoch, from_state, to_state)
    VALUES (NEW.id, NEW.updated_at, NEW.epoch, OLD.state, NEW.state);
END;
