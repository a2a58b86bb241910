"""The HTTP API: orders, status, sessions and the WebSocket."""
