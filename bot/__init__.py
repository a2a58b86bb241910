"""Clapper, a Discord bot that turns a prompt and, optionally, a recording into a video."""

# The Docker image has no pyproject.toml, so the version is defined here. Tests check that every
# other mention of the version is the same.
__version__ = "0.3.0"
