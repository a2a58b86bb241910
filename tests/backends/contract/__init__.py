"""Tests that every backend has to pass."""
