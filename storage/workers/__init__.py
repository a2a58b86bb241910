"""The processes that share one database, and the jobs that each of them holds."""
