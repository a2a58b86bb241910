"""Reads and writes audio and video. No other package starts child processes."""
