"""Spoken narration from text."""
