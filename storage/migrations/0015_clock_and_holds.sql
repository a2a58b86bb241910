-- Why a job's step does nothing but wait, and since when without a break.
ALTER TABLE jobs ADD COLUMN hold TEXT;
ALTER TABLE jobs ADD COLUMN held_since REAL;

-- What the operator was told of jobs on hold: one row for each reason, while there are such jobs.
CREATE TABLE hold_notices (
    hold    TEXT PRIMARY KEY,
    since   REAL NOT NULL,
    -- Whether that has reached an operator.
    reached INTEGER NOT NULL
) STRICT;

-- The machine's clock as the bot last saw it: one row. `steady` are seconds since the start of the machine
-- that `boot` names, `seen_at` is Unix time by the machine's clock, and `known_at` by all other evidence.
CREATE TABLE clock (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    boot     TEXT NOT NULL,
    steady   REAL NOT NULL,
    seen_at  REAL NOT NULL,
    known_at REAL NOT NULL,
    -- Moments before this one may be of another clock.
    since    REAL NOT NULL,
    -- How often the clock was set, and by how many seconds the last time.
    sets     INTEGER NOT NULL DEFAULT 0,
    shift    REAL NOT NULL DEFAULT 0
) STRICT;

-- Whatever still counts time moves with the clock, so that the time which has passed stays the same.
CREATE TRIGGER clock_set AFTER UPDATE OF sets ON clock WHEN NEW.sets <> OLD.sets BEGIN
    UPDATE jobs SET
        next_at = next_at + NEW.shift,
        created_at = created_at + NEW.shift * (created_at >= OLD.since),
        submitted_at = submitted_at + NEW.shift * (submitted_at >= OLD.since),
        token_until = token_until + NEW.shift * (created_at >= OLD.since),
        held_since = held_since + NEW.shift * (held_since >= OLD.since),
        generating_at = generating_at + NEW.shift * (generating_at >= OLD.since),
        -- Never earlier by a moment of another clock.
        deadline_at = deadline_at
            + CASE WHEN generating_at >= OLD.since THEN NEW.shift ELSE max(NEW.shift, 0) END
    WHERE next_at IS NOT NULL OR state NOT IN ('succeeded', 'failed', 'cancelled');
    UPDATE hold_notices SET since = since + NEW.shift;
    UPDATE circuits SET opened_at = opened_at + NEW.shift, probe_at = probe_at + NEW.shift;
    UPDATE inbox SET received_at = received_at + NEW.shift WHERE received_at >= OLD.since;
    -- What has ended keeps its moments, unless they are now in the future.
    UPDATE jobs SET created_at = created_at + NEW.shift, updated_at = updated_at + NEW.shift
    WHERE NEW.shift < 0 AND created_at > NEW.seen_at;
    UPDATE artifacts SET created_at = created_at + NEW.shift
    WHERE NEW.shift < 0 AND created_at > NEW.seen_at;
    UPDATE artifacts SET delivered_at = delivered_at + NEW.shift
    WHERE NEW.shift < 0 AND delivered_at > NEW.seen_at;
    UPDATE speeches SET at = at + NEW.shift WHERE NEW.shift < 0 AND at > NEW.seen_at;
END;
