"""Runs a process in its role: as everything, as the desk that speaks to Discord, or as a worker."""
