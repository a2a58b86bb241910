"""Checks of prompts before they are sent: the operator's blocked words, and moderation services."""
