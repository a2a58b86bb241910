"""Divides texts of any script into scenes, and sets them in lines."""
