"""Validates attached narrations, and converts them to WAV."""
