"""Clapper turns a prompt, and a voice, into a video that arrives in Discord."""

# The one home of the version: the Docker image has no pyproject.toml. Tests hold the pages to it.
__version__ = "0.3.0"
