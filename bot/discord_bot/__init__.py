"""Connects to Discord: the bot itself, its login, and the definitions of its commands."""
