"""Paints each kind of place; every place looks different in each view of a film."""
