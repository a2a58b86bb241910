"""Checks that need the settings, but neither the network nor the database."""
