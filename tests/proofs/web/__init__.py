"""The proof of the web page, in a browser."""
