"""The queue for the provider: claims jobs in turns, and tells each queued job's place."""
