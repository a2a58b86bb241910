"""Synthesises speech, for narrations that are given as texts."""
