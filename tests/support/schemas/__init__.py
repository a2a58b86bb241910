"""Schemas of the requests and answers that are exchanged with Discord and the Videos API."""
