"""Checks that need only the settings, but neither the network nor the database."""
