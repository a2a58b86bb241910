-- The files that outlive their jobs. A row is written before its file, and deleted after it.
CREATE TABLE kept_files (
    key    TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    size   BIGINT NOT NULL,
    since  DOUBLE PRECISION NOT NULL
);
CREATE INDEX kept_files_job ON kept_files (job_id);

-- NULL: the video is from an earlier version.
ALTER TABLE artifacts ADD COLUMN width BIGINT;
ALTER TABLE artifacts ADD COLUMN height BIGINT;
