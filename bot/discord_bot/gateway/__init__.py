"""The gateway connection: what can't be read is skipped, and interruptions are bridged."""
