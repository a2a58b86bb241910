"""The checks of what the owner has decided."""
