"""Readers for the answers of providers."""
