-- When the video service has deleted, at our word, what it kept of a deleted job.
ALTER TABLE jobs ADD COLUMN erased_at REAL;

-- Remote jobs whose rows are gone, while a create is in doubt that a listing could take for one of them.
CREATE TABLE spent_refs (
    backend   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (backend, remote_id)
) STRICT;

CREATE TRIGGER jobs_dropped AFTER DELETE ON jobs WHEN OLD.remote_id IS NOT NULL BEGIN
    INSERT INTO spent_refs (backend, remote_id) VALUES (OLD.backend, OLD.remote_id)
    ON CONFLICT DO NOTHING;
END;
