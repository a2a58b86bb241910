"""A Discord stand-in on loopback, for the demo and for the tests."""
