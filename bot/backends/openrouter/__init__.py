"""The adapter for OpenRouter's API."""
