"""The SQLite database, which holds all state that outlives the process."""
