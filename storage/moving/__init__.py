"""Moves the rows of an SQLite database into a PostgreSQL database."""
