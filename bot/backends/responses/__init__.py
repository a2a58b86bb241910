"""Parsers for providers' responses."""
