"""Transports, which send requests to providers: connections, timeouts, address checks."""
