"""The web pages for browsers, and the files behind signed links."""
