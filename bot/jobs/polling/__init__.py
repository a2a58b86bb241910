"""Polls remote jobs, either individually, or many at once by reading the provider's job list."""
