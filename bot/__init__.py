"""Clapper: a Discord bot that turns a prompt, and optionally a voice recording, into a video."""

# Defined here, because the Docker image has no pyproject.toml. Tests check all other mentions.
__version__ = "0.3.0"
