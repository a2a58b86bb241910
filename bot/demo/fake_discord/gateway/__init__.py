"""The stand-in's gateway, and what people do there."""
