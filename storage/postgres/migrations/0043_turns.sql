-- Smaller copies that the desk has ordered from the workers. `taken_until`: a worker makes the copy, and says so again
-- before that moment. `done_at`: the copy is made, or is impossible.
CREATE TABLE copy_orders (
    job_id        TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    decent        BIGINT NOT NULL,
    limit_bytes   BIGINT NOT NULL,
    in_background BIGINT NOT NULL,
    ordered_at    DOUBLE PRECISION NOT NULL,
    taken_until   DOUBLE PRECISION NOT NULL DEFAULT 0,
    done_at       DOUBLE PRECISION,
    PRIMARY KEY (job_id, decent)
);

-- The process that reads the provider's list of jobs for all, until `held_until`.
CREATE TABLE list_turns (
    backend    TEXT PRIMARY KEY,
    worker     TEXT NOT NULL,
    held_until DOUBLE PRECISION NOT NULL
);

-- What the process does (`all`, `desk` or `worker`), and on which machine.
ALTER TABLE workers ADD COLUMN role TEXT NOT NULL DEFAULT 'all';
ALTER TABLE workers ADD COLUMN host TEXT NOT NULL DEFAULT '';
