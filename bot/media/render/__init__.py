"""Renders videos and posters with ffmpeg."""
