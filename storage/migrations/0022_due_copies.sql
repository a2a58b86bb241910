-- Videos whose cards show a link, until a smaller copy that Discord accepts is made and uploaded.
CREATE TABLE due_copies (
    job_id   TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    next_at  REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX due_copies_by_time ON due_copies (next_at);

-- Nothing else edits the card of a job that has ended.
CREATE TRIGGER due_copies_done AFTER DELETE ON due_copies BEGIN
    UPDATE jobs SET token = NULL WHERE id = OLD.job_id AND state = 'succeeded';
END;
