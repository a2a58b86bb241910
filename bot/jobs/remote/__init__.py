"""Finds remote jobs at the provider, and decides which of them belong to our jobs."""
