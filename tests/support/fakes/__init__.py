"""Fakes with state of the provider, Discord, the media editor and the clock, and the bench."""
