"""Paints the places. Each place looks different in each view of a clip."""
