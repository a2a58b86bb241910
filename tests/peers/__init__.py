"""Our adapters against servers that nobody here wrote: `python -m tests.peers`."""
