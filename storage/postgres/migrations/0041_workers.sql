-- The processes that share the database. A worker that was not seen for a while has lost its jobs to the others.
-- `schema`: the last migration that it knows. `digest`: hashes of the settings that have to be the same everywhere.
-- `desk_since`: when the process became the one that speaks to Discord; NULL: it is not.
CREATE TABLE workers (
    id         TEXT PRIMARY KEY,
    seen_at    DOUBLE PRECISION NOT NULL,
    schema     BIGINT NOT NULL,
    digest     TEXT NOT NULL,
    desk_since DOUBLE PRECISION
);

-- The worker that runs the job's step.
ALTER TABLE jobs ADD COLUMN claimed_by TEXT;
CREATE INDEX jobs_claimed_queued ON jobs (claimed_by) WHERE state = 'queued' AND claimed_by IS NOT NULL;
