"""The adapter of OpenRouter."""
