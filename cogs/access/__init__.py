"""The commands about who may order, for a server or everywhere."""
