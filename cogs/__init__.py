"""The bot's commands, buttons and forms in Discord."""
