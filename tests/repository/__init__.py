"""Tests of the repository: its papers, lock files, schemas and old data."""
