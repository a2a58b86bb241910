"""Proof that a bot killed at random, beside a hostile provider, loses and repeats nothing."""
