"""Requests to Discord about cards and DMs, and its rate limits."""
