"""Sends requests to providers: connections, time-outs, and checks of addresses."""
