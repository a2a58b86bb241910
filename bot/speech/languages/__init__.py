"""Finds the language of a text, so that it is read aloud by a voice of that language."""
