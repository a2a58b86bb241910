"""A browser, and a person who uses it by keyboard."""
