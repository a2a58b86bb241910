-- The files that outlive their jobs. A row is written before its file, and deleted after it.
CREATE TABLE kept_files (
    key TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    since REAL NOT NULL
) STRICT;
CREATE INDEX kept_files_job ON kept_files (job_id);

-- NULL: the video is from an earlier version.
ALTER TABLE artifacts ADD COLUMN width INTEGER;
ALTER TABLE artifacts ADD COLUMN height INTEGER;
