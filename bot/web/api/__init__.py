"""The HTTP API: orders for videos, their status, sessions and the WebSocket."""
