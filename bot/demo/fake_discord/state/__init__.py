"""The stand-in's people, channels, messages and files."""
