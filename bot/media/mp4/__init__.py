"""Reads MP4 files."""
