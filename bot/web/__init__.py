"""The embedded HTTP server, which serves webhooks, the API, web pages and files."""
