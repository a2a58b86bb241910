"""Prompt writers, which add to the requester's prompt the details that a video model needs."""
