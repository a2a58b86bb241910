"""Tests of the room `api_clients`."""
