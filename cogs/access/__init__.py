"""Controls who may order videos, and where."""
