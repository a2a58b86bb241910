"""Makes smaller copies of videos that were too large to upload, and replaces their links."""
