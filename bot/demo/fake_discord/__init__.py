"""A fake Discord on loopback, for the demo and for the tests."""
