"""The adapter for OpenRouter."""
