"""Pages for browsers, and files behind signed links."""
