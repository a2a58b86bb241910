"""Requests to Discord about cards and DMs, and Discord's rate limits."""
