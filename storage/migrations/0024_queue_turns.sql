-- The queue serves one server after another, and in each server one person after another. An API client counts as
-- a server, and so do all direct messages together.
ALTER TABLE jobs ADD COLUMN queue_server TEXT GENERATED ALWAYS AS (CASE
    WHEN client IS NOT NULL THEN 'client:' || client
    WHEN guild_id IS NOT NULL THEN 'server:' || guild_id
    ELSE 'dm' END) VIRTUAL;
ALTER TABLE jobs ADD COLUMN queue_person TEXT
    GENERATED ALWAYS AS (coalesce(CAST(user_id AS TEXT), '')) VIRTUAL;

CREATE INDEX jobs_queued ON jobs (queue_server, queue_person, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;
CREATE INDEX jobs_queued_of_server ON jobs (queue_server, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;

-- Jobs that are at the provider, or may be.
CREATE INDEX jobs_at_provider ON jobs (backend, client)
    WHERE state IN ('submitting', 'unconfirmed', 'generating');
-- Jobs that need the provider and have no clip yet.
CREATE INDEX jobs_unmade ON jobs (state) WHERE clip_of IS NULL
    AND state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating');

-- The jobs that the daily caps of a person and of a server count.
CREATE INDEX jobs_counted_of_person ON jobs (user_id, created_at) WHERE user_id IS NOT NULL
    AND (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;
CREATE INDEX jobs_counted_of_server ON jobs (queue_server, created_at)
    WHERE (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;

-- `turn` grows with each started job; 0: none was started. `since` is when the first of the `waiting` jobs was
-- queued, and orders those with the same turn. `started_at` tells when a row may be deleted.
CREATE TABLE server_turns (
    server     TEXT PRIMARY KEY,
    waiting    INTEGER NOT NULL,
    turn       INTEGER NOT NULL DEFAULT 0,
    since      REAL NOT NULL,
    started_at REAL
) STRICT;
CREATE UNIQUE INDEX server_turns_waiting ON server_turns (turn, since, server) WHERE waiting > 0;
CREATE INDEX server_turns_last ON server_turns (turn);

CREATE TABLE person_turns (
    server     TEXT NOT NULL,
    person     TEXT NOT NULL,
    waiting    INTEGER NOT NULL,
    turn       INTEGER NOT NULL DEFAULT 0,
    since      REAL NOT NULL,
    started_at REAL,
    PRIMARY KEY (server, person)
) STRICT;
CREATE UNIQUE INDEX person_turns_waiting ON person_turns (server, turn, since, person)
    WHERE waiting > 0;
CREATE INDEX person_turns_last ON person_turns (turn);

INSERT INTO server_turns (server, waiting, since)
SELECT queue_server, count(*), min(next_at) FROM jobs
WHERE state = 'queued' AND next_at IS NOT NULL GROUP BY queue_server;
INSERT INTO person_turns (server, person, waiting, since)
SELECT queue_server, queue_person, count(*), min(next_at) FROM jobs
WHERE state = 'queued' AND next_at IS NOT NULL GROUP BY queue_server, queue_person;

CREATE TRIGGER jobs_queued AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'queued' AND OLD.state <> 'queued' BEGIN
    INSERT INTO server_turns (server, waiting, since)
    VALUES (NEW.queue_server, 1, NEW.updated_at)
    ON CONFLICT DO UPDATE SET
        since = CASE WHEN waiting = 0 THEN excluded.since ELSE since END, waiting = waiting + 1;
    INSERT INTO person_turns (server, person, waiting, since)
    VALUES (NEW.queue_server, NEW.queue_person, 1, NEW.updated_at)
    ON CONFLICT DO UPDATE SET
        since = CASE WHEN waiting = 0 THEN excluded.since ELSE since END, waiting = waiting + 1;
END;

CREATE TRIGGER jobs_unqueued AFTER UPDATE OF state ON jobs
WHEN OLD.state = 'queued' AND NEW.state <> 'queued' BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE server = OLD.queue_server;
    UPDATE person_turns SET waiting = waiting - 1
    WHERE server = OLD.queue_server AND person = OLD.queue_person;
END;

CREATE TRIGGER jobs_started AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'submitting' AND OLD.state <> 'submitting' BEGIN
    UPDATE server_turns SET
        turn = (SELECT max(turn) + 1 FROM server_turns), started_at = NEW.updated_at
    WHERE server = NEW.queue_server;
    UPDATE person_turns SET
        turn = (SELECT max(turn) + 1 FROM person_turns), started_at = NEW.updated_at
    WHERE server = NEW.queue_server AND person = NEW.queue_person;
END;

CREATE TRIGGER jobs_queued_new AFTER INSERT ON jobs WHEN NEW.state = 'queued' BEGIN
    INSERT INTO server_turns (server, waiting, since)
    VALUES (NEW.queue_server, 1, NEW.created_at)
    ON CONFLICT DO UPDATE SET
        since = CASE WHEN waiting = 0 THEN excluded.since ELSE since END, waiting = waiting + 1;
    INSERT INTO person_turns (server, person, waiting, since)
    VALUES (NEW.queue_server, NEW.queue_person, 1, NEW.created_at)
    ON CONFLICT DO UPDATE SET
        since = CASE WHEN waiting = 0 THEN excluded.since ELSE since END, waiting = waiting + 1;
END;

CREATE TRIGGER jobs_queued_deleted AFTER DELETE ON jobs WHEN OLD.state = 'queued' BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE server = OLD.queue_server;
    UPDATE person_turns SET waiting = waiting - 1
    WHERE server = OLD.queue_server AND person = OLD.queue_person;
END;
