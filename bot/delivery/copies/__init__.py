"""Makes smaller copies of videos that were too large to upload, and shows them instead of links."""
