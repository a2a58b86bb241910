"""Names the media files in DATA_DIR, and writes them atomically."""
