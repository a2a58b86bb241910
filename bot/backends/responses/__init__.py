"""Parsers for providers' answers."""
