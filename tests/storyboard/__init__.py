"""Tests of the room `storyboard`."""
