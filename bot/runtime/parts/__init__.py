"""Builds components from the settings."""
