"""Tests of the room `cogs`."""
