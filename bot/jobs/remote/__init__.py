"""Remote jobs at the provider: which are ours, and how they are found."""
