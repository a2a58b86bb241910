-- Jobs whose create request was sent, and whose id at the provider is not known.
CREATE INDEX jobs_unbound ON jobs (backend, submitted_at)
    WHERE remote_id IS NULL AND submitted_at IS NOT NULL;
