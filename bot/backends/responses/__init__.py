"""Parses and classifies the responses of providers."""
