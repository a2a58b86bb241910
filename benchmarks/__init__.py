"""Measures what the bot costs: its memory, and the seconds that it adds to a video."""
