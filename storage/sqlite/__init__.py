"""The SQLite database: its connection, and its files."""
