"""Validates and decodes attached narrations."""
