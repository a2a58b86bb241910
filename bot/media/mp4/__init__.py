"""Reads the index of MP4 files."""
