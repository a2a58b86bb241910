"""The commands, buttons and forms of the bot in Discord."""
