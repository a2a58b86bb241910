"""The HTTP server and its building blocks, independent of the routes."""
