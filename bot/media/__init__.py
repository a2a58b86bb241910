"""Reads and writes sound and video, and is the only package that starts child processes."""
