"""Records interactions, passes on forms, and answers what discord.py can't read."""
