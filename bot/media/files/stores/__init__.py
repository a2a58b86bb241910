"""Stores the files that are kept after their jobs have ended."""
