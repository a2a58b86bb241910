-- Evidence about remote jobs, for creates without an answer, for ids that a server gives out twice, and
-- for jobs at the provider that no row explains.

-- A keyed hash of the provider's address and key that the create was sent with.
ALTER TABLE jobs ADD COLUMN account TEXT;
-- When the remote job was made, by the provider's own clock, as its answer to the create said.
ALTER TABLE jobs ADD COLUMN remote_made_at REAL;
-- 0: that answer already echoed another order, so that later echoes prove nothing.
ALTER TABLE jobs ADD COLUMN echoes_order INTEGER NOT NULL DEFAULT 1;
-- Nothing was compared for these, and a gateway may have rewritten their prompts.
UPDATE jobs SET echoes_order = 0 WHERE state IN ('generating', 'downloading');
-- When the provider confirmed that it cancelled or deleted the remote job.
ALTER TABLE jobs ADD COLUMN remote_deleted_at REAL;
-- When the remote id turned out to belong to another job: nothing is asked or deleted by it any more.
ALTER TABLE jobs ADD COLUMN remote_passed_at REAL;

DROP INDEX jobs_by_remote_id;
CREATE UNIQUE INDEX jobs_by_remote_id ON jobs (backend, remote_id)
    WHERE remote_id IS NOT NULL AND remote_passed_at IS NULL;

-- What the provider's list has shown to each of its accounts.
CREATE TABLE listings (
    backend    TEXT NOT NULL,
    account    TEXT NOT NULL,
    -- When it last showed a job whose create was answered.
    shown_at   REAL,
    -- Jobs in it that no row explains, when they were counted, and whether all of the list was read.
    orphans    INTEGER,
    counted_at REAL,
    is_whole   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backend, account)
) STRICT;

-- Remote jobs whose rows are gone, by a keyed hash of their ids, and when they were last listed.
CREATE TABLE spent_ref_hashes (
    ref_hash TEXT PRIMARY KEY,
    at       REAL NOT NULL
) STRICT;

-- The ids in `spent_refs` are hashed by the next sweep; new ones are not written there.
DROP TRIGGER jobs_dropped;
