"""The log channel: posts orders and refusals for the owner."""
