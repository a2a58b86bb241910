"""Reads the answers of providers."""
