"""The adapter of Gemini."""
