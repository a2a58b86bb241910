"""Changes of jobs: their publication, and those that concern cards and webhooks."""
