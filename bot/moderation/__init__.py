"""Checks prompts before they are sent, with a list of blocked words and a moderation service."""
