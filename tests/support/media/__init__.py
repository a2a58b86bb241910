"""Clips and sounds, made and measured."""
