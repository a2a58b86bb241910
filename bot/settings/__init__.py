"""The operator's settings: read once, checked, and explained where one is wrong."""
