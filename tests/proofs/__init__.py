"""Proofs that take longer than the tests; each is a make target."""
