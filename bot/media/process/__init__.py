"""Runs ffmpeg and other programs in confined child processes."""
