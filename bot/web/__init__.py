"""The embedded HTTP server: webhooks, API, pages and files."""
