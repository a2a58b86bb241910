"""The tables of jobs, webhooks and circuits."""
