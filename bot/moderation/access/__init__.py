"""Decides who may order videos and narrations, and where."""
