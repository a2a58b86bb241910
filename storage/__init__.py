"""What outlives the process: SQLite, and nothing else."""
