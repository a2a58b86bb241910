"""Commands that tell people how things are: their limits, the queue, and what they may do."""
