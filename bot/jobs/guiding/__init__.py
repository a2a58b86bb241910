"""Decides whether a narration is sent with a create request, and prepares the sound."""
