"""Limits on the waiting of jobs, the reasons for it, and its correction if the clock is changed."""
