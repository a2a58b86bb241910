"""Draws and animates title cards."""
