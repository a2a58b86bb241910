"""Runs a process in its role: as the desk that speaks to Discord, as a worker, or as both."""
