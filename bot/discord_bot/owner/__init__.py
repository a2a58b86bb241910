"""The commands of the bot's owner: who may use them, and where they are offered."""
