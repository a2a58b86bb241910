"""The views of the commands about who may order."""
