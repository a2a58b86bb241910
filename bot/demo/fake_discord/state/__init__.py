"""The users, channels, messages and files of the fake Discord."""
