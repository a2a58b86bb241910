"""The queue of jobs that wait for the provider: claims jobs fairly, and computes their places."""
