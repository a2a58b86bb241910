"""Divides texts in any script into scenes and lines, and draws their letters."""
