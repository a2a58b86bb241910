"""Publishing the changes of jobs, and storing those that concern cards and webhooks."""
