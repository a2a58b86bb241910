"""Adapters: one file for each kind of video-generation service."""
