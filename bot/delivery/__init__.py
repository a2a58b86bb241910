"""The messages of jobs in Discord, and the delivery of finished videos."""
