"""Sends requests about cards and DMs to Discord, within its rate limits."""
