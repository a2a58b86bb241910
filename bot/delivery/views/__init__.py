"""Builds the texts, buttons and layouts that people see in Discord."""
