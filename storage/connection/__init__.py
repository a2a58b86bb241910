"""Runs SQL statements on the connection to the database."""
