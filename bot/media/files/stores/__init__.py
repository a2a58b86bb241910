"""Stores files that outlive their jobs."""
