"""Adapters for video-generation services: one module or package for each provider's API."""
