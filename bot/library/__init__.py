"""The finished videos: finding, keeping and deleting them."""
