"""The HTTP API: requests for videos, their status, sessions and the WebSocket."""
