"""Publishing the changes of jobs, and storing the changes that concern cards and webhooks."""
