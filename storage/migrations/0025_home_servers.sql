-- The server that an order from outside of the servers counts for, such as one from a direct message.
ALTER TABLE jobs ADD COLUMN home_id INTEGER;

-- SQLite can't change the expression of a column, so `queue_server` is added anew with all that reads it.
DROP TRIGGER jobs_queued;
DROP TRIGGER jobs_unqueued;
DROP TRIGGER jobs_started;
DROP TRIGGER jobs_queued_new;
DROP TRIGGER jobs_queued_deleted;
DROP INDEX jobs_queued;
DROP INDEX jobs_queued_of_server;
DROP INDEX jobs_counted_of_server;
ALTER TABLE jobs DROP COLUMN queue_server;
ALTER TABLE jobs ADD COLUMN queue_server TEXT GENERATED ALWAYS AS (CASE
    WHEN client IS NOT NULL THEN 'client:' || client
    WHEN coalesce(home_id, guild_id) IS NOT NULL THEN 'server:' || coalesce(home_id, guild_id)
    ELSE 'dm' END) VIRTUAL;

CREATE INDEX jobs_queued ON jobs (queue_server, queue_person, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;
CREATE INDEX jobs_queued_of_server ON jobs (queue_server, next_at)
    WHERE state = 'queued' AND next_at IS NOT NULL;
CREATE INDEX jobs_counted_of_server ON jobs (queue_server, created_at)
    WHERE (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;

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
