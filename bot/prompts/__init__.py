"""Prompt writers, which extend the requester's prompt with details that a video model needs."""
