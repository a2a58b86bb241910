"""Checks of the settings themselves."""
