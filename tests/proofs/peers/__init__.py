"""Tests of our adapters against independent servers and SDKs: `python -m tests.proofs.peers`."""
