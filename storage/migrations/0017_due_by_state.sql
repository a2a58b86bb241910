-- A worker looks only at the rows of its own states, and only at those that are due first.
DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (state, next_at) WHERE next_at IS NOT NULL;

-- Those that a webhook wakes, and those that wait for a reason.
CREATE INDEX jobs_undecided ON jobs (backend) WHERE state = 'undecided';
CREATE INDEX jobs_on_hold ON jobs (hold) WHERE hold IS NOT NULL;

-- The jobs that the daily cap counts.
CREATE INDEX jobs_counted ON jobs (created_at)
    WHERE (state NOT IN ('failed', 'cancelled') OR submitted_at IS NOT NULL) AND clip_of IS NULL;

-- The seconds that the provider took, by which the time of similar jobs is estimated.
ALTER TABLE jobs ADD COLUMN generated_seconds REAL;
UPDATE jobs SET generated_seconds = (
    SELECT done.at - jobs.generating_at FROM job_events AS done
    WHERE done.job_id = jobs.id AND done.from_state = 'generating' AND done.to_state = 'downloading')
WHERE generating_at IS NOT NULL;
CREATE INDEX jobs_generated ON jobs (backend, seconds, size, model, created_at)
    WHERE generated_seconds IS NOT NULL;

-- Both kinds of open jobs, counted without reading their rows.
DROP INDEX jobs_open;
CREATE INDEX jobs_open ON jobs (user_id, state) WHERE state IN ('received', 'queued', 'submitting',
    'unconfirmed', 'generating', 'downloading', 'merging');
CREATE INDEX jobs_open_of_client ON jobs (client, state) WHERE client IS NOT NULL
    AND state IN ('received', 'queued', 'submitting', 'unconfirmed', 'generating', 'downloading',
    'merging');

-- Ids in webhooks, also those that were passed on to another job.
CREATE INDEX jobs_by_any_remote_id ON jobs (remote_id) WHERE remote_id IS NOT NULL;
-- The latest answered creates: the rows of one key are in the order of the events.
CREATE INDEX job_events_answered ON job_events (to_state)
    WHERE from_state = 'submitting' AND to_state = 'generating';
