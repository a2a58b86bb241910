"""Checks of the settings, which need neither the network nor the database."""
