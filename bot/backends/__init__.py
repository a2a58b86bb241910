"""Adapters for video services: one module or package for each service's API."""
