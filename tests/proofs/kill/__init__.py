"""Proof that a bot that is killed at random loses and repeats nothing, beside a hostile provider."""
