"""Shows the bot's owner what was spent."""
