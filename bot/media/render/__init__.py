"""Renders videos and pictures with ffmpeg."""
