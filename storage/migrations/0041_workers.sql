-- The processes that share the database, which only PostgreSQL allows. A worker that was not seen for a while has lost
-- its jobs to the others. `schema`: the last migration that it knows. `digest`: hashes of the settings that have to be
-- the same everywhere. `desk_since`: when the process became the one that speaks to Discord; NULL: it is not.
CREATE TABLE workers (
    id         TEXT PRIMARY KEY,
    seen_at    REAL NOT NULL,
    schema     INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    desk_since REAL
) STRICT;

-- The worker that runs the job's step. It is always NULL where one process has the database for itself.
ALTER TABLE jobs ADD COLUMN claimed_by TEXT;
CREATE INDEX jobs_claimed_queued ON jobs (claimed_by) WHERE state = 'queued' AND claimed_by IS NOT NULL;
