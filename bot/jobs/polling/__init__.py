"""Polling of remote jobs: each by itself, or many at once by a page of the provider's list."""
