"""Reads and checks the sound that people send."""
