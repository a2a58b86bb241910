"""Finding remote jobs at the provider, and telling which of them belong to our jobs."""
