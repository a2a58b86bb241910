"""The pages that a browser opens, and the files behind signed links."""
