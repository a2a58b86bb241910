"""The HTTP server's plumbing, whatever it serves."""
