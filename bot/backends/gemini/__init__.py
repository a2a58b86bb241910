"""The adapter for Gemini."""
