"""The queue in front of the provider: claims in turns, and the place of each queued job."""
