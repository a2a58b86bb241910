"""The HTTP server and its components, which don't depend on the routes."""
