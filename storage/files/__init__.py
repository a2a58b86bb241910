"""The folder of the data."""
