"""Benchmarks of the bot: its memory, and the time that it adds to a video."""
