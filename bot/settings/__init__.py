"""Reads the operator's settings once, checks them, and explains each error."""
