"""Smaller copies of videos that are only linked on their cards."""
