"""The queue of jobs that wait for the provider: claims them in turns, and computes their places."""
