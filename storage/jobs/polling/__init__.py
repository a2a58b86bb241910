"""Reads and updates the jobs that are polled many at a time."""
