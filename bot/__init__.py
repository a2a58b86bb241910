"""Clapper: a Discord bot that turns a prompt, and a recorded voice, into a video."""

# Defined here because the Docker image has no pyproject.toml; tests check the other mentions.
__version__ = "0.3.0"
