"""The jobs that are polled many at a time."""
