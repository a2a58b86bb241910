-- Ids that the provider has given to another job: looked for before a create is repeated.
CREATE INDEX jobs_with_reused_id ON jobs (backend) WHERE remote_passed_at IS NOT NULL;
