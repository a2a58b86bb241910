"""Sends requests to providers: connections, time-outs, address checks."""
