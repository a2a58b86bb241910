"""Smaller copies of videos that are linked on their cards."""
