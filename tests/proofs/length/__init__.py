"""Proves that clips are as long as their narrations, over HTTP, with real ffmpeg."""
