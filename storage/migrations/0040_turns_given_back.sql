-- `job_id`: the job whose start used up the turn. `earlier_turn` and `earlier_since` are what `turn` and `since` were
-- before. They are given back if the provider refuses that job because it is busy.
ALTER TABLE server_turns ADD COLUMN job_id TEXT;
ALTER TABLE server_turns ADD COLUMN earlier_since REAL NOT NULL DEFAULT 0;
ALTER TABLE server_turns ADD COLUMN earlier_turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person_turns ADD COLUMN job_id TEXT;
ALTER TABLE person_turns ADD COLUMN earlier_since REAL NOT NULL DEFAULT 0;
ALTER TABLE person_turns ADD COLUMN earlier_turn INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER jobs_started;
CREATE TRIGGER jobs_started AFTER UPDATE OF state ON jobs
WHEN NEW.state = 'submitting' AND OLD.state <> 'submitting' BEGIN
    UPDATE server_turns SET
        earlier_turn = turn, earlier_since = since, turn = (SELECT max(turn) + 1 FROM server_turns),
        job_id = NEW.id, started_at = NEW.updated_at
    WHERE server = NEW.queue_server;
    UPDATE person_turns SET
        earlier_turn = turn, earlier_since = since, turn = (SELECT max(turn) + 1 FROM person_turns),
        job_id = NEW.id, started_at = NEW.updated_at
    WHERE server = NEW.queue_server AND person = NEW.queue_person;
END;
