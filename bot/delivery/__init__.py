"""Delivers finished videos to Discord, and keeps each job's message up to date."""
