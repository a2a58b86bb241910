"""Clapper turns a prompt, and a voice, into a video that arrives in Discord."""
